"""The catalogue as an index by identity, and the rules that lead a name to one entry of it or to nobody."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, cached_property
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
    untuned,
    variant_of,
)
from scraper.match.groups import Groups
from scraper.match.names import OFFER_SUFFIX, Name, is_size, read, readings

PARTS = re.compile(r"[/,|;]")


def is_pointer(name: str) -> bool:
    """`gemini-flash-latest` moves; `gemini-1.5-flash-latest` and `chatgpt-4o-latest` say which model they are."""
    tail = name.casefold().rpartition("/")[2]
    return tail.endswith("-latest") and not any(c.isdigit() for c in tail)


class Matcher(Groups):
    """Entries indexed once; `match` and `resolve` ask. Deterministic: the same names give the same answers."""

    @classmethod
    def from_package(cls, sold: Callable[[str], bool] | None = None) -> Matcher:
        """The catalogue of the installed package genai-prices, with the facts kept by hand; `sold` narrows its price ids.

        The whole one is built once a process: a cycle asks for it several times.
        """
        return _whole() if sold is None else cls._of_package(sold)

    @classmethod
    def _of_package(cls, sold: Callable[[str], bool]) -> Matcher:
        from genai_prices.data import providers

        entries = (
            Entry(f"{p.id}:{m.id}", p.id, read(m.id), m.match, m.context_window, m.deprecated)
            for p in providers
            for m in p.models
            if sold(f"{p.id}:{m.id}")
        )
        return cls(entries, load_catalogue())

    def match(self, name: str, source: str = "") -> Match:
        """The one model that agrees in all that identifies. `source` is not used to guess; it is kept for messages."""
        if self._several(name):
            return Match(name, proposals=self._propose(name))
        for reading in self._with_family([self._meant(n) for n in readings(name)]):
            key = self._find(reading)
            if key is not None:
                entries = self._sorted(key)
                named = self._billed_under(reading, key, entries)
                ids = tuple(e.price_id for e in (*named, *entries))
                return Match(name, self._model_ids[key], ids, variant_of(reading, key))
        return Match(name, proposals=self._propose(name))

    def resolve(self, name: str, via: str | None = None, region: str | None = None) -> Resolution:
        """`maker/model` or a price id, with the host and region that a registry names; nothing is chosen silently.

        Without a host the maker's own API is meant, without a region the offer that names none. Where that leaves not
        exactly one, all that it leaves are `endpoint_ids`; where none, `proposals` says what exists.
        """
        wanted, _, region_written = name.partition("@")
        if wanted in self._entries and (region_written or not region) and via is None:
            region = region_written or None
            ids = self._in_place([wanted], region)
            return Resolution(self.model_of(wanted), tuple(ids), () if ids else (wanted,))
        found = self.match(name if wanted not in self._entries else wanted.partition(":")[2])
        if found.model_id is None:
            return Resolution(None, (), found.proposals)
        host = HOSTS.get(via.casefold(), via.casefold()) if via else None
        if host is None and wanted in self._entries:
            ids = [wanted]
        elif host is None:
            own = [i for i in found.price_ids if self._first_party(i, found.model_id)]
            ids = own or list(found.price_ids)
        else:
            ids = [i for i in found.price_ids if i.partition(":")[0] == host]
        tail = name.rpartition("/")[2].casefold()
        exact = [i for i in ids if i.partition(":")[2].rpartition("/")[2].casefold() == tail]
        plain = [i for i in ids if not OFFER_SUFFIX.search(i)]
        chosen = (exact if len(exact) == 1 else plain) or ids
        ids = self._in_place(chosen if region in (None, "global") else plain or ids, region)
        return Resolution(found.model_id, tuple(ids), found.price_ids)

    def _in_place(self, ids: list[str], region: str | None) -> list[str]:
        """Those that process in the region; without one, a worldwide profile before the regional ones."""
        if region not in (None, "global"):
            return [i for i in ids if self._in_region(i, str(region))]
        return [i for i in ids if ":global." in i] or ids

    def has(self, price_id: str) -> bool:
        """Whether the catalogue prices this id."""
        return price_id in self._entries

    def model_of(self, price_id: str) -> str | None:
        """The model a price id sells; None where nobody has said."""
        entry = self._entries.get(price_id.partition("@")[0])
        if entry is None or entry.name.blocked or entry.is_pointer:
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
        return [*self._endpoints]

    @cached_property
    def _endpoints(self) -> tuple[Endpoint, ...]:
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
            out.append(Endpoint(**stated | self._catalogue.kept_of(e.price_id)))
        return tuple(out)

    def pointers(self) -> dict[str, str]:
        """Names without a version that a maker lets move (`family-latest`) -> the model they mean in this catalogue."""
        out: dict[str, str] = {}
        for text, entries in sorted(self._equals.items()):
            own = {self.model_of(e.price_id) for e in entries if self._is_own(e, self._key(e))} - {None}
            if is_pointer(text) and len(own) == 1:
                out[text] = str(own.pop())
        return out

    def by_hand(self, price_id: str) -> frozenset[str]:
        """The fields of an endpoint that a person took from a page: `retires_on`, `features.tools`, ..."""
        return frozenset(
            f"{field}.{name}" if name else field
            for field, value in self._catalogue.kept_of(price_id).items()
            for name in (value if isinstance(value, dict) else ("",))
        )

    @property
    def catalogue(self) -> Catalogue:
        """The facts kept by hand."""
        return self._catalogue

    def _find(self, name: Name) -> Key | None:
        if name.blocked or not name.words:
            return None
        tuned = (tuple(sorted((*name.words, *(name.spelled & TUNED)))), name.dates, name.preview)
        if name.spelled & TUNED and tuned in self._groups:
            return tuned
        exact = (name.words, name.dates, name.preview)
        if name.variant.get("thinking", "off") != "off" and (twin := self._thinking_twin(name)):
            return twin
        stated = self._named_by(name, with_setting=exact in self._groups and len(name.words) > 1)
        if len(found := {self._key(e) for e in stated}) == 1:
            return found.pop()
        keys = self._by_words.get(name.words) or self._sized(name) or self._first_version(name) or self._tiered(name)
        if len(name.words) == 1 and not any(c.isdigit() for c in name.words[0]):
            keys = {
                k for k in keys if any(e.name.raw == name.raw for e in self._groups[k])
            }  # a bare family is no model
        if "thinking" in name.variant and name.variant["thinking"] != "off":
            keys = {k for k in keys if any("instruct" not in e.name.spelled for e in self._groups[k])} or set()
        if untuned(name):  # the released base weights, which hosts seldom sell
            keys = {k for k in keys if not any(e.name.spelled & TUNED for e in self._groups[k])}
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

    def _billed_under(self, name: Name, key: Key, entries: list[Entry]) -> list[Entry]:
        """The maker's plain entry under which it bills this edition, where it has no entry of its own."""
        if any(self._is_own(e, key) for e in entries):
            return []
        plain = [e for e in self._groups.get((name.words, (), name.preview), ()) if rule_names(e.clauses, name)]
        return [
            e
            for e in (*self._named_by(name), *plain)
            if self._is_own(e, key) and set(e.name.words) - {"thinking", "reasoning"} <= set(name.words)
        ][:1]

    def _several(self, name: str) -> bool:
        """Whether two parts of a list each name a family with a version: `gpt-4o/o1` is a pair, `openai/gpt-4o` is not."""
        parts = [p for p in PARTS.split(name[:400].casefold()) if self._versioned.search(p)]
        return len(parts) > 1

    def _meant(self, name: Name) -> Name:
        """The reading under the name that the maker's docs equate it with, where there is one."""
        alias = self._aliases.get(name.raw)
        return name if alias is None else replace(read(alias), variant=name.variant)

    def _with_family(self, found: list[Name]) -> list[Name]:
        """`Opus 4.6` is Claude's: a tier word that one family alone uses implies the family."""
        tiers = self._catalogue.tiers
        implied = {tiers[w] for n in found[:1] for w in n.words if w in tiers}
        if (
            len(implied) != 1
            or not any(c.isdigit() for w in found[0].words for c in w)
            or implied & set(found[0].words)
        ):
            return found
        family = implied.pop()
        return [replace(n, words=tuple(sorted((*n.words, family))), raw=f"{family}-{n.raw}") for n in found]

    def _tiered(self, name: Name) -> set[Key]:
        """A version of a tiered family, where one tier alone has it: no other model can be meant."""
        families = set(self._catalogue.tiers.values()) & set(name.words)
        if not families or name.dates or not any(c.isdigit() for w in name.words for c in w):
            return set()
        keys = {k for tier in self._catalogue.tiers for k in self._by_words.get(tuple(sorted((*name.words, tier))), ())}
        return keys if len({k[0] for k in keys}) == 1 else set()

    def _named_by(self, name: Name, *, with_setting: bool = False) -> list[Entry]:
        """Entries whose own rule spells this very name; `with_setting`: only with its thinking setting spelled out."""
        texts = [t for t in spellings(name) if not (with_setting and t in spellings(replace(name, variant={})))]
        return next((found for text in texts if (found := self._equals.get(text))), [])

    def _thinking_twin(self, name: Name) -> Key | None:
        """The thinking weights, where a maker released them apart from the plain ones."""
        if {"thinking", "reasoning"} & set(name.words):
            return None
        key = (tuple(sorted((*name.words, "thinking"))), name.dates, name.preview)
        return key if key in self._groups else None

    def _first_version(self, name: Name) -> set[Key]:
        """`X 1` is X, where the catalogue knows only X: a first version is seldom numbered."""
        if "1" not in name.words or len(name.words) < 3:
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
        named = any(rule_names(e.clauses, name) for e in own) or (
            plain[0][2] == name.preview and self._released_then(plain[0], name.dates)
        )
        sold_itself = bool(own) or not (
            self._catalogue.own_hosts(self._model_ids[plain[0]].partition("/")[0]) or name.sizes
        )
        full = bool(name.dates) and all(len(d) == 8 for d in name.dates)
        release = (
            bool(own) and bool(name.sizes) and any("." in w for w in name.sizeless)
        )  # version and size fix it already
        snapshot = plain[0][2] == name.preview and ((full and sold_itself) or release)
        return plain[0] if named or snapshot else None

    def _only(self, keys: set[Key]) -> Key | None:
        """An undated name: the undated entry, else the only one there is (a first release, or a preview)."""
        plain = [k for k in keys if not k[1]]
        sized = any(is_size(w) for k in keys for w in k[0])  # open weights: an undated name is the first release
        dated = [] if sized else [k for k in keys if not self._within_a_family(k)]
        released = [k for k in plain if not k[2]] or plain or dated
        return released[0] if len(released) == 1 else None

    def _within_a_family(self, key: Key) -> bool:
        """Whether the entry's own rule spells a longer name: `gpt-3.5-0301` is a snapshot of gpt-3.5-turbo, not of gpt-3.5."""
        return any(
            set(key[0]) < set(read(text).words) and self._by_words.get(read(text).words)
            for e in self._groups[key]
            for text in equal_texts(e.clauses)
        )

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
            key=lambda e: (
                own_first[self._first_party(e.price_id, model_id)],
                e.price_id.endswith(":free"),
                e.provider != "openrouter",
                e.price_id,
            ),
        )

    def _in_region(self, price_id: str, region: str) -> bool:
        regions = self._catalogue.kept_of(price_id).get("regions") or ()
        return any(r == region or r.startswith(f"{region}-") for r in regions)


@cache
def _whole() -> Matcher:
    return Matcher._of_package(lambda _: True)
