"""Whether a "no" ends early: its `reopen_if` against what is known of the candidate it shut out. Unknown opens nothing. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from data.records import PRECISION_RANK, Endpoint
from recommender.eligible import in_region

AT_LEAST = re.compile(r"(p_ok|saving_month|price_drop)>=([\d.]+)")


@dataclass(frozen=True)
class Known:
    """What is known of a candidate now. Money in USD a month; `price_drop`: share its cost fell since the ruling."""

    endpoint: Endpoint
    grade: str | None
    p_ok: float | None
    saving_low_usd_per_month: float | None
    price_drop: float | None


def holds(condition: str, known: Known) -> bool:
    """Whether every part of a condition (joined by `and`) is true. Raises ValueError for one that nobody can read."""
    return all(_part(part.strip(), known) for part in condition.split(" and "))


def _part(part: str, known: Known) -> bool:
    where = known.endpoint
    match part.split():
        case ["region", name, "available"]:
            offered = where.regions or (() if where.region == "global" else (where.region,))
            return any(in_region(region, name) for region in offered)
        case ["feature", name, "available"]:
            return where.features.get(name) is True
        case ["param", name, "accepted"]:
            return where.params.get(name) is True
        case ["retention", "zero"]:
            return where.retention == "zero"
    name, _, value = part.partition("=")
    if name == "precision" and value in PRECISION_RANK:
        return PRECISION_RANK.get(where.precision or "", -1) >= PRECISION_RANK[value]
    if name == "evidence" and value in ("A", "B", "C", "D"):
        return known.grade is not None and known.grade <= value
    found = AT_LEAST.fullmatch(part)
    if found is None:
        raise ValueError(f"cannot read the condition {part!r}")
    reached = {"p_ok": known.p_ok, "saving_month": known.saving_low_usd_per_month, "price_drop": known.price_drop}[
        found[1]
    ]
    return reached is not None and reached >= float(found[2])
