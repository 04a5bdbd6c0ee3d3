"""Priced entries -> groups that are one model each, with the model's id. Settled once, before any name is asked for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from data.catalogue import Catalogue
from scraper.match.entries import TUNED, Entry, Key, equal_texts, rule_names, same_dates
from scraper.match.names import api_slug, is_size, read


class Groups:
    """Entries by identity (words, dates, preview); snapshots that a maker sells undated lie with the undated entry."""

    def __init__(self, entries: Iterable[Entry], catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._entries = {e.price_id: e for e in entries}
        self._groups: dict[Key, list[Entry]] = defaultdict(list)
        self._by_words: dict[tuple[str, ...], set[Key]] = defaultdict(set)
        self._by_sizeless: dict[tuple[str, ...], set[Key]] = defaultdict(set)
        self._equals: dict[str, list[Entry]] = defaultdict(list)
        self._apart: dict[str, Key] = {}
        families = "|".join(sorted(map(re.escape, catalogue.families)))
        self._versioned = re.compile(
            rf"(?<![a-z0-9])(?:o[134]|(?:{families})[-_ ]?[a-z]?\d)(?![a-z])|(?<![a-z])gpt-?\d"
        )
        self._aliases = {read(written).raw: meant for written, meant in catalogue.aliases.items()}
        for e in self._entries.values():
            if e.name.blocked or e.is_pointer:
                continue
            key: Key = (e.name.words, e.name.dates, e.name.preview)
            self._groups[key].append(e)
            self._by_words[e.name.words].add(key)
            self._by_sizeless[e.name.sizeless].add(key)
            for text in equal_texts(e.clauses):
                self._equals[text].append(e)
        self._split_tuned()
        self._model_ids = self._name_models()
        self._folded: dict[Key, Key] = {}
        for dated in [k for k in self._groups if k[1] or k[2]]:
            self._fold_snapshot(dated)
        self._by_first: dict[str, list[str]] = defaultdict(list)
        for model_id in sorted(set(self._model_ids.values())):
            self._by_first[model_id.partition("/")[2][:3]].append(model_id)

    def _released_then(self, key: Key, dates: tuple[str, ...]) -> bool:
        """Whether a stamp is the known release day, or month, of the entry, or a day that its maker's rule spells."""
        days = {
            d for e in self._groups[key] if self._is_own(e, key) for t in equal_texts(e.clauses) for d in read(t).dates
        }
        known = self._catalogue.models.get(self._model_ids[key])
        if known and known.released_on:
            days.add(known.released_on.replace("-", ""))
        return len(dates) == 1 and any(same_dates((d,), dates) for d in days)

    def _first_party(self, price_id: str, model_id: str) -> bool:
        return price_id.partition(":")[0] in self._catalogue.own_hosts(model_id.partition("/")[0])

    def _fold_snapshot(self, dated: Key) -> None:
        """A host's dated id of a model that the maker sells undated is that model, where the maker's own rule says so."""
        plain: Key = (dated[0], (), frozenset())
        if plain in self._groups and not any(self._is_own(e, dated) for e in self._groups[dated]):
            known = self._catalogue.models.get(self._model_ids[plain])
            if known and known.released_on and self._released_then(plain, dated[1]):
                self._fold(dated, plain)
                return
        if (
            plain not in self._groups
            or any(len(d) != 8 for d in dated[1])
            or any(self._is_own(e, dated) for e in self._groups[dated])
        ):
            return
        if any(
            rule_names(own.clauses, e.name)
            for own in self._groups[plain]
            if self._is_own(own, plain)
            for e in self._groups[dated]
        ):
            self._fold(dated, plain)

    def _fold(self, dated: Key, plain: Key) -> None:
        self._folded[dated] = plain
        self._groups[plain].extend(self._groups.pop(dated))
        self._model_ids[dated] = self._model_ids[plain]
        self._by_words[dated[0]].discard(dated)
        self._by_sizeless[tuple(w for w in dated[0] if not is_size(w))].discard(dated)

    def _split_tuned(self) -> None:
        """Where one host sells `x` and `x-instruct` as two ids and no size tells open weights, they are two models."""
        for key in [k for k in self._groups if not any(is_size(w) for w in k[0])]:
            spelled = {e.provider: set[frozenset[str]]() for e in self._groups[key]}
            for e in self._groups[key]:
                spelled[e.provider].add(e.name.spelled & TUNED)
            if not any(frozenset() in s and len(s) > 1 and p in self._own_of(key) for p, s in spelled.items()):
                continue
            for e in [e for e in self._groups[key] if e.name.spelled & TUNED]:
                words = tuple(sorted((*e.name.words, *(e.name.spelled & TUNED))))
                self._groups[key].remove(e)
                self._apart[e.price_id] = other = (words, key[1], key[2])
                self._groups[other].append(e)
                self._by_words[words].add(other)

    def _own_of(self, key: Key) -> frozenset[str]:
        return self._catalogue.own_hosts(self._catalogue.maker_of([e.price_id for e in self._groups[key]]))

    def _is_own(self, e: Entry, key: Key) -> bool:
        return self._first_party(e.price_id, self._model_ids[key])

    def _name_models(self) -> dict[Key, str]:
        """`maker/slug` for every identity: the maker's own id where it sells the model, else the plainest spelling."""
        names: dict[Key, str] = {}
        taken: set[str] = set()
        for key in sorted(self._groups, key=lambda k: (k[0], k[1], sorted(k[2]))):
            group = self._groups[key]
            maker = self._catalogue.maker_of([e.price_id for e in group])
            own = [e for e in group if e.provider in self._catalogue.own_hosts(maker)]
            own = own or [e for e in group if e.provider == "openrouter"] or group
            best = min((e.price_id.partition(":")[2] for e in own), key=lambda i: (len(i), i))
            slug = api_slug(best)
            model_id = f"{maker}/{slug}"
            while model_id in taken:
                model_id += "*"
            taken.add(model_id)
            names[key] = model_id
        return names
