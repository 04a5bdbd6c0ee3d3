"""The floor of a quality level in 3, 6 and 12 months: our own price lines, pooled, foreseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from jobs.trends.offers import FEWEST_MODELS, LEVELS, own_offers, own_series, scale_of
from recommender.outlook import METHODS, NO_CHANGE, STEPS, Cuts, Outlook, Verdict, foresee, pooled_cuts, ready, replay
from recommender.trends import Series

HORIZONS_DAYS = (90, 180, 365)  # 3, 6 and 12 months


@dataclass(frozen=True)
class Floor:
    """One level of a benchmark: its lowest witnessed price (USD per million tokens, 3 of input to 1 of output), from which
    model since when, and what it may be next; or `why` nothing is foreseen."""

    benchmark: str
    level: float
    model: str | None
    since: date | None
    usd: float | None
    outlook: tuple[Outlook, ...]
    why: str | None = None

    def row(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if v is not None}


@cache
def own_lines() -> tuple[Series, ...]:
    """Every level of every board with enough models, as record lows."""
    return tuple(
        own_series(board, level)
        for board, offers in sorted(own_offers().items())
        if len({o.model for o in offers}) >= FEWEST_MODELS
        for level in LEVELS[scale_of(board, offers)]
    )


def points(line: Series, as_of: date) -> list[tuple[date, float]]:
    return [(o.day, o.usd) for o in line.points if o.day <= as_of]


@cache
def own_cuts(as_of: date) -> Cuts:
    """Pace and depth over all our own lines known by a day."""
    return pooled_cuts([points(line, as_of) for line in own_lines()], as_of)


@cache
def judged(as_of: date) -> tuple[Verdict, ...]:
    """Every method on our own lines, replayed on what was known by a day."""
    return tuple(replay([points(line, as_of) for line in own_lines()], as_of))


def shown_method(as_of: date, days: int) -> str:
    """Steps where they erred less than "no change" on our own lines at this horizon, else the simpler one."""
    found = [v for v in judged(as_of) if v.days == days and v.method in (NO_CHANGE, STEPS)]
    return min(found, key=lambda v: v.mae).method if found else NO_CHANGE


def next_price(usd: float, as_of: date, days: int) -> Outlook:
    """A price at the floor of a level, foreseen: the point by `shown_method`, the interval by steps."""
    steps = foresee(own_cuts(as_of), usd, days)
    point = METHODS[shown_method(as_of, days)](own_cuts(as_of), usd, days).usd
    return replace(steps, usd=point, low=min(steps.low, point), high=max(steps.high, point))


def floors(as_of: date, boards: Sequence[str] | None = None) -> list[Floor]:
    """All levels, or those of some boards, each foreseen or with its reason."""
    return [_floor(line, as_of) for line in own_lines() if boards is None or line.benchmark in boards]


def _floor(line: Series, as_of: date) -> Floor:
    lows = [o for o in line.points if o.day <= as_of]
    last = lows[-1] if lows else None
    why = ready([(o.day, o.usd) for o in lows], as_of)
    told = tuple(next_price(last.usd, as_of, d) for d in HORIZONS_DAYS) if last and why is None else ()
    return Floor(
        line.benchmark,
        line.level,
        last.model if last else None,
        last.day if last else None,
        last.usd if last else None,
        told,
        why,
    )
