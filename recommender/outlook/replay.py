"""A forecast judged on the past: every 30 days, from what was known that day, against what came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log10

from recommender.outlook.hazard import Cuts, Lows, Outlook, foresee, pooled_cuts, ready

HORIZONS_DAYS = (90, 180, 365)
EVERY_DAYS = 30
ROUNDING = 0.01  # log10: the grid of the distribution


@dataclass(frozen=True)
class Verdict:
    """Of one method at one horizon: `mae` in log10 price (0.30 is a factor of 2); `covered` only where it states intervals."""

    method: str
    days: int
    n: int
    mae: float
    covered: float | None


def _constant(factor_per_year: float) -> Callable[[Cuts, float, int], Outlook]:
    def told(cuts: Cuts, usd: float, days: int) -> Outlook:
        then = usd / factor_per_year ** (days / 365.25)
        return Outlook(days, then, then, then, 1.0 if factor_per_year == 1 else 0.0)

    return told


STEPS, NO_CHANGE = "steps (ours)", "no change"
METHODS: Mapping[str, Callable[[Cuts, float, int], Outlook]] = {
    STEPS: foresee,
    NO_CHANGE: _constant(1.0),
    "3x a year": _constant(3.0),
    "10x a year": _constant(10.0),
}


def replay(lines: Sequence[Lows], end: date | None = None) -> list[Verdict]:
    """Every method on the same questions. `end`: the last day of the record; without it the last record low.

    No look-ahead: the pool and the line are cut at the day of the question. Empty where no line is ever long enough.
    """
    days = [day for lows in lines for day, _ in lows]
    if not days:
        return []
    end = end or max(days)
    errors: dict[tuple[str, int], list[float]] = {}
    held: dict[tuple[str, int], list[bool]] = {}
    today = min(days)
    while today <= end:
        known = [[p for p in lows if p[0] <= today] for lows in lines]
        cuts = pooled_cuts(known, today)
        for seen, whole in zip(known, lines, strict=True):
            if ready(seen, today) is not None:
                continue
            for horizon in HORIZONS_DAYS:
                then = today + timedelta(horizon)
                if then > end:
                    continue
                came = log10(min(usd for day, usd in whole if day <= then))
                for name, method in METHODS.items():
                    told = method(cuts, seen[-1][1], horizon)
                    errors.setdefault((name, horizon), []).append(abs(came - log10(told.usd)))
                    inside = log10(told.low) - ROUNDING <= came <= log10(told.high) + ROUNDING
                    held.setdefault((name, horizon), []).append(inside)
        today += timedelta(EVERY_DAYS)
    return [
        Verdict(
            name,
            horizon,
            len(errors[name, horizon]),
            sum(errors[name, horizon]) / len(errors[name, horizon]),
            sum(held[name, horizon]) / len(held[name, horizon]) if METHODS[name] is foresee else None,
        )
        for name in METHODS
        for horizon in HORIZONS_DAYS
        if (name, horizon) in errors
    ]
