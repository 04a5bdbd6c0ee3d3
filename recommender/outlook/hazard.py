"""A floor that drops in steps: a compound process whose rate and depth are pooled over all price lines of a table.

A line through record lows never sees the months in which nothing happened, so as a forecast it falls far too fast.
Here a cut comes `rate` times a year (negative binomial over a horizon: lines differ in their rate) and divides the
price by 10^depth; the sum over a horizon is computed exactly on a grid by Panjer's recursion (ASTIN Bulletin 12, 1981).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from math import exp, log10

import numpy as np

YEAR_DAYS = 365.25
MIN_LOWS, MIN_AGE_DAYS = 3, 180  # under these a line is not forecast (and was not, where the method was judged)
WATCHED_DAYS = 365  # the pool looks back this far: the pace of 2023 is not that of today
# Before anything is seen: two cuts a year, each by a factor of 2.3 in the mean, together 5 times cheaper a year, the middle
# of the 3 to 10 that slow pooled rates showed. One model undercuts many levels at once, so lines are far from independent:
# the prior weighs as much as 100 line-years and 20 cuts.
PRIOR_RATE, PRIOR_LINE_YEARS = 2.0, 100.0
PRIOR_DEPTH, PRIOR_CUTS = 0.35, 20.0
ALIKE = 2.0  # shape of the gamma spread of rates over lines: variation coefficient 0.7
GRID, CELLS = 0.02, 300  # log10 price, up to a factor of a million
LEVEL = 0.8

Cells = np.ndarray[tuple[int], np.dtype[np.float64]]
Lows = Sequence[tuple[date, float]]  # (day, USD), each cheaper than the one before


@dataclass(frozen=True)
class Cuts:
    """How often the floor drops a year, and how deep: `depths[k]` is the chance of a cut of k * GRID in log10 price."""

    rate_per_year: float
    depths: tuple[float, ...]
    line_years: float
    cuts: int

    @property
    def factor_per_year(self) -> float:
        """What the mean cut and the mean pace make of a year, as a factor the price is divided by."""
        return float(10 ** (self.rate_per_year * sum(k * GRID * p for k, p in enumerate(self.depths))))


@dataclass(frozen=True)
class Outlook:
    """Lowest price in `days`: `usd` in between, `low` to `high` at 80 %; `p_unchanged`: the chance that nothing happens."""

    days: int
    usd: float
    low: float
    high: float
    p_unchanged: float


def ready(lows: Lows, today: date) -> str | None:
    """None where a line may be forecast, else why not."""
    if not lows:
        return "no price at this level is known"
    if not all(usd > 0 for _, usd in lows):
        return "a price of 0 is free or faulty, not cheap"
    if len(lows) < MIN_LOWS:
        return f"too short to say: {len(lows)} of {MIN_LOWS} record lows"
    age = (today - lows[0][0]).days
    return None if age >= MIN_AGE_DAYS else f"too short to say: {age} of {MIN_AGE_DAYS} days since the first"


def pooled_cuts(lines: Iterable[Lows], today: date) -> Cuts:
    """Pace and depth of the cuts of the last year over all lines known by `today`, flat time counted, shrunk to the prior.

    A line counts from the day on which it could be forecast: before it, record lows are what made it a line.
    """
    line_years, depths = 0.0, []
    for lows in lines:
        known = [(day, log10(usd)) for day, usd in lows if day <= today and usd > 0]
        if len(known) < MIN_LOWS:
            continue
        begin = max(known[MIN_LOWS - 1][0], known[0][0] + timedelta(MIN_AGE_DAYS), today - timedelta(WATCHED_DAYS))
        if begin < today:
            line_years += (today - begin).days / YEAR_DAYS
            depths += [a - b for (_, a), (day, b) in pairwise(known) if day > begin]
    rate = (len(depths) + PRIOR_RATE * PRIOR_LINE_YEARS) / (line_years + PRIOR_LINE_YEARS)
    chance = [0.0] + [
        PRIOR_CUTS * exp(-k * GRID / PRIOR_DEPTH) * (exp(GRID / PRIOR_DEPTH) - 1) for k in range(1, CELLS + 1)
    ]
    for depth in depths:
        chance[min(CELLS, max(1, round(depth / GRID)))] += 1
    whole = sum(chance)
    return Cuts(rate, tuple(c / whole for c in chance), line_years, len(depths))


def foresee(cuts: Cuts, usd: float, days: int) -> Outlook:
    """The floor `days` from now, from `usd` today.

    `usd` of the answer lies halfway, in log price, between the mean and the median fall: the median alone says "no change"
    for months, the mean is drawn by the rare deep cut. The interval is the shortest that holds 80 %.
    """
    sums = _sums(cuts, days)
    upto = np.cumsum(sums)
    middle = (float(sums @ np.arange(CELLS + 1)) + _cell(upto, 0.5)) / 2
    start, end = _shortest(upto)
    return Outlook(days, _after(usd, middle), _after(usd, max(end, middle)), _after(usd, start), float(sums[0]))


@lru_cache(maxsize=64)
def _sums(cuts: Cuts, days: int) -> Cells:
    mean = cuts.rate_per_year * days / YEAR_DAYS
    a = mean / (ALIKE + mean)
    b = (ALIKE - 1) * a
    depth = np.array(cuts.depths)
    out = np.zeros(CELLS + 1)
    out[0] = (1 - a) ** ALIKE
    for s in range(1, CELLS + 1):
        j = np.arange(1, s + 1)
        out[s] = ((a + b * j / s) * depth[1 : s + 1]) @ out[s - 1 :: -1][:s]
    whole: Cells = out / out.sum()
    return whole


def _cell(upto: Cells, share: float) -> int:
    return min(CELLS, int(np.searchsorted(upto, share)))


def _shortest(upto: Cells) -> tuple[int, int]:
    starts = [(0, _cell(upto, LEVEL))] + [
        (_cell(upto, p), _cell(upto, p + LEVEL)) for p in np.arange(0.02, 1 - LEVEL, 0.02).tolist()
    ]
    return min(starts, key=lambda se: (se[1] - se[0], se[0]))


def _after(usd: float, cells: float) -> float:
    return float(usd * 10 ** (-cells * GRID))
