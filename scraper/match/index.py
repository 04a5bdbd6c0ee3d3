"""The catalogue as an index by identity, and the rules that lead a name to one entry of it or to nobody."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from data.catalogue import Catalogue, load_catalogue
from data.records import Endpoint, Model
from scraper.match.entries import (
    HOSTS,
    TUNED,
    Entry,
    Key,
    Match,
    Resolution,
    equal_texts,
    rule_names,
    same_dates,
    spellings,
    variant_of,
)
from scraper.match.names import Name, api_slug, is_size, read, readings


class Matcher:
    """Entries indexed once; `match` and `resolve` ask. Deterministic: the same names give the same answers."""

    def __init__(self, entries: Iterable[Entry], catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._entries = {e.price_id: e for e in entries}
        self._groups: dict[Key, list[Entry]] = defaultdict(list)
        self._by_words: dict[tuple[str, ...], set[Key]] = defaultdict(set)
        self._by_sizeless: dict[tuple[str, ...], set[Key]] = defaultdict(set)
        self._equals: dict[str, list[Entry]] = defaultdict(list)
        self._apart: dict[str, Key] = {}
        for e in self._entries.values():
            if e.name.blocked:
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
        for dated in [k for k in self._groups if k[1]]:
            self._fold_snapshot(dated)
        self._by_first: dict[str, list[str]] = defaultdict(list)
        for model_id in sorted(set(self._model_ids.values())):
            self._by_first[model_id.partition("/")[2][:3]].append(model_id)

    @classmethod
    def from_package(cls) -> Matcher:
        """The catalogue of the installed package genai-prices, with the facts kept by hand."""
        from genai_prices.data import providers

        entries = (
            Entry(f"{p.id}:{m.id}", p.id, read(m.id), m.match, m.context_window, m.deprecated)
            for p in providers
            for m in p.models
        )
        return cls(entries, load_catalogue())

    def match(self, name: str, source: str = "") -> Match:
        """The one model that agrees in all that identifies. `source` is not used to guess; it is kept for messages."""
        alias = self._catalogue.aliases.get(name.strip().casefold())
        for reading in readings(alias or name):
            key = self._find(reading)
            if key is not None:
                entries = self._sorted(key)
                named = [e for e in self._named_by(reading) if self._is_own(e, key) and e not in entries]
                ids = tuple(e.price_id for e in (*named, *entries))
                return Match(name, self._model_ids[key], ids, variant_of(reading, key))
        return Match(name, proposals=self._propose(name))

    def resolve(self, name: str, via: str | None = None, region: str | None = None) -> Resolution:
        """`maker/model` or a price id, with the host and region that a registry names; nothing is chosen silently."""
        if name in self._entries and via is None:
            return Resolution(self.model_of(name), (name,))
        found = self.match(name)
        if found.model_id is None:
            return Resolution(None, (), found.proposals)
        host = HOSTS.get(via, via) if via else None
        ids = [i for i in found.price_ids if host is None or i.partition(":")[0] == host]
        if host is None:
            own = [i for i in ids if self._first_party(i, found.model_id)]
            exact = [i for i in own if i.partition(":")[2].casefold() == name.rpartition("/")[2].casefold()]
            ids = exact or own[:1] or ids
        if region not in (None, "global"):
            ids = [i for i in ids if i.endswith(f"@{region}") or self._in_region(i, str(region))]
        return Resolution(found.model_id, tuple(ids), found.price_ids)

    def has(self, price_id: str) -> bool:
        """Whether the catalogue prices this id."""
        return price_id in self._entries

    def model_of(self, price_id: str) -> str | None:
        """The model a price id sells; None where nobody has said."""
        entry = self._entries.get(price_id.partition("@")[0])
        if entry is None or entry.name.blocked:
            return None
        return self._model_ids.get(
            self._apart.get(entry.price_id, (entry.name.words, entry.name.dates, entry.name.preview))
        )

    def models(self) -> list[Model]:
        """Every model some host prices, with the facts kept by hand."""
        known = self._catalogue.models
        return [
            known.get(i)
            or Model(model_id=i, maker=i.partition("/")[0], name=i.partition("/")[2], source_id="genai-prices")
            for i in sorted(set(self._model_ids.values()))
        ]

    def endpoints(self) -> list[Endpoint]:
        """Every priced endpoint; facts kept by hand win over the package's."""
        out = []
        for e in self._entries.values():
            model_id = self.model_of(e.price_id)
            stated: dict[str, Any] = {
                "endpoint_id": e.price_id,
                "provider": e.provider,
                "model_id": model_id,
                "first_party": self._first_party(e.price_id, model_id) if model_id else None,
                "context_tokens": e.context_tokens,
                "deprecated": e.deprecated,
                "source_id": "genai-prices",
            }
            by_hand = self._catalogue.endpoints.get(e.price_id)
            if by_hand is not None:
                stated |= by_hand.model_dump(exclude_unset=True, exclude={"provider", "endpoint_id"})
            out.append(Endpoint(**stated))
        return out

    def _find(self, name: Name) -> Key | None:
        if name.blocked or not name.words:
            return None
        tuned = (tuple(sorted((*name.words, *(name.spelled & TUNED)))), name.dates, name.preview)
        if name.spelled & TUNED and tuned in self._groups:
            return tuned
        exact = (name.words, name.dates, name.preview)
        if name.variant.get("thinking", "off") != "off" and (twin := self._thinking_twin(name)):
            return twin
        if exact not in self._groups or "thinking" in name.variant or len(name.words) == 1:
            found = {self._key(e) for e in self._named_by(name)}
            if len(found) == 1:
                return found.pop()
        keys = self._by_words.get(name.words) or self._sized(name) or self._first_version(name)
        if len(name.words) == 1 and not any(c.isdigit() for c in name.words[0]):
            keys = {
                k for k in keys if any(e.name.raw == name.raw for e in self._groups[k])
            }  # a bare family is no model
        if "thinking" in name.variant and name.variant["thinking"] != "off":
            keys = {k for k in keys if any("instruct" not in e.name.spelled for e in self._groups[k])} or set()
        if name.sizes and name.spelled & TUNED:
            keys = {k for k in keys if self._tuned(k)}
        if exact in keys:
            return exact
        if exact in self._folded:
            return self._folded[exact]
        same_day = [
            k for k in keys if name.dates and same_dates(k[1], name.dates) and k[2] in (name.preview, frozenset())
        ]
        same_day += [
            plain
            for folded, plain in self._folded.items()
            if plain in keys and plain not in same_day and name.dates and same_dates(folded[1], name.dates)
        ]
        if len(same_day) == 1:
            return same_day[0]
        return self._covered(name, keys) if name.dates or name.preview else self._only(keys)

    def _named_by(self, name: Name) -> list[Entry]:
        """Entries whose own rule spells this very name."""
        return next((found for text in spellings(name) if (found := self._equals.get(text))), [])

    def _thinking_twin(self, name: Name) -> Key | None:
        """The thinking weights, where a maker released them apart from the plain ones."""
        if {"thinking", "reasoning"} & set(name.words):
            return None
        key = (tuple(sorted((*name.words, "thinking"))), name.dates, name.preview)
        return key if key in self._groups else None

    def _first_version(self, name: Name) -> set[Key]:
        """`X 1` is X, where the catalogue knows only X: a first version is seldom numbered."""
        if "1" not in name.words:
            return set()
        return self._by_words.get(tuple(w for w in name.words if w != "1"), set())

    def _tuned(self, key: Key) -> bool:
        """Whether an entry sells the tuned weights: it says so, or the maker sells it itself, or it is known as hybrid."""
        group = self._groups[key]
        untuned_twin = not any(e.name.spelled & TUNED for e in group)
        return (
            not untuned_twin
            or any(self._first_party(e.price_id, self._model_ids[key]) for e in group)
            or len(group) > 2
        )

    def _sized(self, name: Name) -> set[Key]:
        """Where a name leaves the size out and the catalogue has one size only, that one is meant."""
        if name.sizes:
            return set()
        keys = self._by_sizeless.get(name.words, set())
        return keys if len({tuple(w for w in k[0] if w not in name.words) for k in keys}) == 1 else set()

    def _covered(self, name: Name, keys: set[Key]) -> Key | None:
        """A dated or preview name falls under a plain entry whose maker's own rule, or a full date, says so."""
        plain = [k for k in keys if not k[1] and (not k[2] or k[2] == name.preview)]
        plain = [k for k in plain if k[2] == name.preview] or plain
        if len(plain) != 1:
            return None
        own = [e for e in self._groups[plain[0]] if self._first_party(e.price_id, self._model_ids[plain[0]])]
        named = any(rule_names(e.clauses, name) for e in own) or self._released_then(plain[0], name.dates)
        sold_itself = bool(own) or not (
            self._catalogue.own_hosts(self._model_ids[plain[0]].partition("/")[0]) or name.sizes
        )
        full = bool(name.dates) and all(len(d) == 8 for d in name.dates)
        release = (
            bool(own) and bool(name.sizes) and any("." in w for w in name.sizeless)
        )  # version and size fix it already
        snapshot = plain[0][2] == name.preview and ((full and sold_itself) or release)
        return plain[0] if named or snapshot else None

    def _released_then(self, key: Key, dates: tuple[str, ...]) -> bool:
        """Whether a stamp is the known release day, or month, of the entry, or a day that its maker's rule spells."""
        days = {
            d for e in self._groups[key] if self._is_own(e, key) for t in equal_texts(e.clauses) for d in read(t).dates
        }
        known = self._catalogue.models.get(self._model_ids[key])
        if known and known.released_on:
            days.add(known.released_on.replace("-", ""))
        return len(dates) == 1 and any(same_dates((d,), dates) or (len(d) == 6 and d[2:] == dates[0]) for d in days)

    def _only(self, keys: set[Key]) -> Key | None:
        """An undated name: the undated entry, else the only one there is (a first release, or a preview)."""
        plain = [k for k in keys if not k[1]]
        sized = any(is_size(w) for k in keys for w in k[0])  # open weights: an undated name is the first release
        released = [k for k in plain if not k[2]] or plain or ([] if sized else list(keys))
        return released[0] if len(released) == 1 else None

    def _propose(self, name: str) -> tuple[str, ...]:
        """Up to three similar ids that begin alike, for a person; the program never uses them."""
        slug = read(name).slug
        if not 2 < len(slug) < 80:
            return ()
        near = {i.partition("/")[2]: i for i in self._by_first.get(slug[:3], ())}
        return tuple(near[s] for s in difflib.get_close_matches(slug, near, n=3, cutoff=0.7))

    def _key(self, e: Entry) -> Key:
        key = self._apart.get(e.price_id, (e.name.words, e.name.dates, e.name.preview))
        return key if key in self._groups else self._folded.get(key, (e.name.words, (), frozenset()))

    def _sorted(self, key: Key) -> list[Entry]:
        model_id = self._model_ids[key]
        own_first = {True: 0, False: 1}
        return sorted(
            self._groups[key],
            key=lambda e: (own_first[self._first_party(e.price_id, model_id)], e.provider != "openrouter", e.price_id),
        )

    def _first_party(self, price_id: str, model_id: str) -> bool:
        return price_id.partition(":")[0] in self._catalogue.own_hosts(model_id.partition("/")[0])

    def _in_region(self, price_id: str, region: str) -> bool:
        facts = self._catalogue.endpoints.get(price_id)
        return (
            facts is not None
            and facts.regions is not None
            and any(r == region or r.startswith(f"{region}-") for r in facts.regions)
        )

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


def by_model(endpoints: Iterable[Endpoint]) -> Mapping[str, list[Endpoint]]:
    """Endpoints grouped by the model they sell; those nobody has named are left out."""
    out: dict[str, list[Endpoint]] = defaultdict(list)
    for e in endpoints:
        if e.model_id is not None:
            out[e.model_id].append(e)
    return out
