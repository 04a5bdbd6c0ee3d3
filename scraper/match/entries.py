"""Priced entries, and what a rule of the catalogue or a date stamp says of a name. Pure; nothing is chosen here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
        out["edition"] = "-".join(extra)
    if reading.dates:
        out["date"] = "-".join(reading.dates)
    if reading.preview:
        out["edition"] = "-".join(filter(None, (out.get("edition"), *sorted(reading.preview))))
    return dict(sorted(out.items()))


def same_dates(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """One stamp is the other, or its month and day, or its year and month."""
    return len(left) == len(right) == 1 and (
        left == right
        or any(
            a.endswith(b) or a[2:6] == b or a[4:6] + a[2:4] == b
            for a, b in ((left[0], right[0]), (right[0], left[0]))
            if len(a) == 8
        )
    )


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
