"""Priced entries, and what a rule of the catalogue or a date stamp says of a name. Pure; nothing is chosen here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from data.records import EFFORTS
from scraper.match.names import Name

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

    @property
    def is_pointer(self) -> bool:
        """`~maker/family-latest` sells whatever is newest: an offer, and no model."""
        return self.price_id.partition(":")[2].startswith("~")


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


def variant_of(reading: Name, key: Key) -> dict[str, str]:
    out = dict(reading.variant)
    if extra := [w for w in reading.words if w not in key[0] and w not in reading.dates and w != "1"]:
        if extra[0] in EFFORTS:
            out["effort"] = extra[0]
        else:
            out["edition"] = "-".join(extra)
    if reading.dates:
        out["date"] = "-".join(reading.dates)
    if reading.preview:
        out["edition"] = "-".join(filter(None, (out.get("edition"), *sorted(reading.preview))))
    return dict(sorted(out.items()))


def same_dates(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """One stamp is the other, or a part of it: month and day, or year and month, in either order."""
    if len(left) != 1 or len(right) != 1:
        return False
    (a,), (b,) = left, right
    return left == right or _part_of(a, b) or _part_of(b, a)


def _part_of(part: str, day: str) -> bool:
    if len(day) == 8 and len(part) == 4:  # 20241022: 1022, 2410 or 1024
        return part in (day[4:], day[2:6], day[4:6] + day[2:4])
    in_month = (
        len(part) == len(day) == 4 and part[:2] > "12" and day[:2] == part[2:]
    )  # year and month against month and day
    return (len(day) == 6 and part == day[2:]) or in_month


def equal_texts(clause: Any) -> list[str]:
    if clause is None:
        return []
    if hasattr(clause, "equals"):
        return [str(clause.equals).lower()]
    return [t for part in getattr(clause, "or_", None) or () for t in equal_texts(part)]


def rule_names(clause: Any, name: Name) -> bool:
    return clause is not None and any(clause.is_match(t) for t in spellings(name))


def spellings(name: Name) -> list[str]:
    ends = {None: ("",), "off": ("", "-non-reasoning")}.get(
        name.variant.get("thinking"), ("", "-reasoning", "-thinking")
    )
    plain = [s for s in (name.raw, name.slug) if s]
    return list(dict.fromkeys(t + end for end in reversed(ends) for s in plain for t in (s, s.replace(".", "-"))))


def untuned(name: Name) -> bool:
    """Whether a name follows the custom of open base weights: sized, ending in `-hf` or `-v0.N`, not called tuned."""
    bare = "hf" in name.spelled or any(w.startswith("v0.") for w in name.words)
    return bool(name.sizes) and bare and not name.spelled & TUNED
