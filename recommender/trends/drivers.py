"""Why a floor fell, as far as it is visible: another model, a smaller or newer one, open weights, hosts, a price war.

A driver is what stood beside the fall, not its proven cause. What is not known is not named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from data.records import PRECISION_RANK

Driver = Literal[
    "list price cut",
    "more hosts",
    "host competition",
    "newer model",
    "smaller model",
    "open weights",
    "lower precision",
    "price war",
]
WAR_DAYS = 30
WAR_CUT = 0.2  # of the rival's price
WIDE_SPREAD = 1.5  # dearest over cheapest host


@dataclass(frozen=True)
class Known:
    """What is known of a model at a fall; None where nobody says. `size`: billions of weights, all experts counted."""

    model: str
    maker: str
    since: date | None = None  # released, else first priced
    size: float | None = None
    open_weights: bool | None = None
    hosts: int | None = None
    spread: float | None = None
    precision: str | None = None  # of its cheapest host


@dataclass(frozen=True)
class Cut:
    """A maker's own list price fell by this share on a day."""

    maker: str
    day: date
    share: float


def drivers(before: Known, after: Known, day: date, cuts: Sequence[Cut]) -> list[Driver]:
    """What is visible at a fall on `day` from one choice to the next; empty where nothing is."""
    found: list[Driver] = []
    if before.model == after.model:
        if any(c.maker == after.maker and c.day == day for c in cuts):
            found.append("list price cut")
        if _more(before.hosts, after.hosts):
            found.append("more hosts")
    else:
        if before.since and after.since and after.since > before.since:
            found.append("newer model")
        if before.size and after.size and after.size < before.size:
            found.append("smaller model")
        if after.open_weights and before.open_weights is False:
            found.append("open weights")
    if after.open_weights and (after.hosts or 0) >= 2 and (after.spread or 1.0) >= WIDE_SPREAD:
        found.append("host competition")
    if _coarser(before.precision, after.precision):
        found.append("lower precision")
    if any(
        c.maker != after.maker and c.share >= WAR_CUT and timedelta(0) < day - c.day <= timedelta(WAR_DAYS)
        for c in cuts
    ):
        found.append("price war")
    return found


def _more(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and after > before


def _coarser(before: str | None, after: str | None) -> bool:
    if before not in PRECISION_RANK or after not in PRECISION_RANK:
        return False
    return PRECISION_RANK[after] < PRECISION_RANK[before]
