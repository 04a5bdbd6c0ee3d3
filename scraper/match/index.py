"""The catalogue as an index by identity, and the rules that lead a name to one entry of it or to nobody."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.catalogue import Catalogue, load_catalogue
from data.records import Endpoint, Model
from scraper.match.names import Name, is_size, read, readings

TUNED = frozenset({"instruct", "it", "chat"})
HOSTS = {"bedrock": "aws", "vertex": "google", "xai": "x-ai", "x.ai": "x-ai"}
Key = tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]


@dataclass(frozen=True)
class Entry:
    """One priced id of one host."""

    price_id: str
    provider: str
    name: Name
    clauses: Any = None
    context_tokens: int | None = None
    deprecated: bool | None = None


@dataclass(frozen=True)
class Match:
    """The model a name is, or nobody: `model_id` None and `price_ids` empty. `proposals` are for a person only."""

    name: str
    model_id: str | None = None
    price_ids: tuple[str, ...] = ()
    variant: dict[str, str] = field(default_factory=dict)
    proposals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolution:
    """What a registry's model means: exactly one endpoint, or the ones it could be."""

    model_id: str | None
    endpoint_ids: tuple[str, ...]
    proposals: tuple[str, ...] = ()


class Matcher:
    """Entries indexed once; `match` and `resolve` ask. Deterministic: the same names give the same answers."""

    def __init__(self, entries: Iterable[Entry], catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._entries = {e.price_id: e for e in entries}
        self._groups: dict[Key, list[Entry]] = defaultdict(list)
        self._by_words: dict[tuple[str, ...], set[Key]] = defaultdict(set)
        self._by_sizeless: dict[tuple[str, ...], set[Key]] = defaultdict(set)
        self._equals: dict[str, list[Entry]] = defaultdict(list)
        for e in self._entries.values():
            if e.name.blocked:
                continue
            key: Key = (e.name.words, e.name.dates, e.name.preview)
            self._groups[key].append(e)
            self._by_words[e.name.words].add(key)
            self._by_sizeless[e.name.sizeless].add(key)
            for text in _equal_texts(e.clauses):
                self._equals[text].append(e)
        self._model_ids = self._name_models()
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
                ids = tuple(e.price_id for e in self._sorted(key))
                return Match(name, self._model_ids[key], ids, _variant(reading))
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
        return self._model_ids.get((entry.name.words, entry.name.dates, entry.name.preview))

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
        for text in _spellings(name):
            if len(found := {self._key(e) for e in self._equals.get(text, ())}) == 1:
                return found.pop()
        keys = self._by_words.get(name.words) or self._sized(name)
        if len(name.words) == 1 and not any(c.isdigit() for c in name.words[0]):
            keys = {k for k in keys if any(e.name.raw == name.raw for e in self._groups[k])}  # a bare family is no model
        if "thinking" in name.variant and name.variant["thinking"] != "off":
            keys = {k for k in keys if any("instruct" not in e.name.spelled for e in self._groups[k])} or set()
        if name.sizes and name.spelled & TUNED:
            keys = {k for k in keys if self._tuned(k)}
        exact = (name.words, name.dates, name.preview)
        if exact in keys:
            return exact
        same_day = [
            k for k in keys if name.dates and _same_dates(k[1], name.dates) and k[2] in (name.preview, frozenset())
        ]
        if len(same_day) == 1:
            return same_day[0]
        return self._covered(name, keys) if name.dates or name.preview else self._only(keys)

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
        named = any(_names(e.clauses, name) for e in own)
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
        key = (e.name.words, e.name.dates, e.name.preview)
        return key if key in self._groups else (e.name.words, (), frozenset())

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
        if (
            plain not in self._groups
            or any(len(d) != 8 for d in dated[1])
            or any(self._is_own(e, dated) for e in self._groups[dated])
        ):
            return
        if any(
            _names(own.clauses, e.name)
            for own in self._groups[plain]
            if self._is_own(own, plain)
            for e in self._groups[dated]
        ):
            self._groups[plain].extend(self._groups.pop(dated))
            self._model_ids[dated] = self._model_ids[plain]
            self._by_words[dated[0]].discard(dated)
            self._by_sizeless[tuple(w for w in dated[0] if not is_size(w))].discard(dated)

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
            slug = best.rsplit("/", 1)[-1].casefold().partition(":")[0].removesuffix("-latest")
            model_id = f"{maker}/{slug}"
            while model_id in taken:
                model_id += "*"
            taken.add(model_id)
            names[key] = model_id
        return names


def _variant(reading: Name) -> dict[str, str]:
    out = dict(reading.variant)
    if reading.dates:
        out["date"] = "-".join(reading.dates)
    if reading.preview:
        out["edition"] = "-".join(sorted(reading.preview))
    return dict(sorted(out.items()))


def _same_dates(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """One stamp is the other, or its month and day, or its year and month."""
    return len(left) == len(right) == 1 and (
        left == right
        or any(a.endswith(b) or a[2:6] == b for a, b in ((left[0], right[0]), (right[0], left[0])) if len(a) == 8)
    )


def _equal_texts(clause: Any) -> list[str]:
    if clause is None:
        return []
    if hasattr(clause, "equals"):
        return [str(clause.equals).lower()]
    return [t for part in getattr(clause, "or_", None) or () for t in _equal_texts(part)]


def _names(clause: Any, name: Name) -> bool:
    return clause is not None and any(clause.is_match(t) for t in _spellings(name))


def _spellings(name: Name) -> list[str]:
    return list(dict.fromkeys(t for s in (name.raw, name.slug) if s for t in (s, s.replace(".", "-"))))


def by_model(endpoints: Iterable[Endpoint]) -> Mapping[str, list[Endpoint]]:
    """Endpoints grouped by the model they sell; those nobody has named are left out."""
    out: dict[str, list[Endpoint]] = defaultdict(list)
    for e in endpoints:
        if e.model_id is not None:
            out[e.model_id].append(e)
    return out
