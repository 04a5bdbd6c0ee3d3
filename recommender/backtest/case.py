"""A use case of the replay, what became of it under a rule, and what was true of its candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from data.records import DAYS_PER_MONTH
from recommender.backtest.rule import BILL_USD_PER_MONTH, Choice, Clauses, effort_usd, registered
from recommender.backtest.world import CHEAPER_SHARE, TAU_POINTS, Array, World

YEAR_DAYS = 365
LEAST_MEASURED = 15


@dataclass(frozen=True)
class Case:
    column: int
    start: int
    row: int  # the first incumbent, the best measured
    points: float
    price: float

    @property
    def need(self) -> float:
        """Points from which a candidate is good."""
        return self.points - TAU_POINTS

    @property
    def first(self) -> Choice:
        return Choice(self.row, self.price, 1.0)


@dataclass(frozen=True)
class Run:
    """Of one use case under one rule: cost as a share of the first price, months under par, switches undone."""

    cost: float
    months_short: float
    undone: int
    months_to_first: float | None
    switches: int = 0
    effort: float | None = None  # what the switches cost once, as a share of a year's first bill


def cases_of(world: World) -> list[Case]:
    """Each benchmark on the first of each month with a full year ahead, where a good cheaper model was released in it."""
    out = []
    for start in _months(world.first_day, world.last_day - YEAR_DAYS):
        seen, price = world.seen(start), world.price(start)
        for column in range(len(world.benchmarks)):
            rows = np.nonzero(np.isfinite(seen[:, column]) & np.isfinite(price))[0]
            if len(rows) < LEAST_MEASURED:
                continue
            best = int(rows[np.argmax(seen[rows, column])])
            case = Case(column, start, best, float(seen[best, column]), float(price[best]))
            if case.points > TAU_POINTS and first_good_day(world, case) is not None:
                out.append(case)
    return out


def first_good_day(world: World, case: Case) -> int | None:
    """The first day of the year on which a model released in it was good and cheaper; only the truth may ask."""
    days = range(case.start, case.start + YEAR_DAYS)
    good = np.nonzero(good_rows(world, case))[0]
    prices = world.usd_per_mtok[good][:, days[0] - world.first_day : days[-1] + 1 - world.first_day]
    released = world.released[good][:, None] <= np.arange(days[0], days[-1] + 1)[None, :]
    hits = np.nonzero(((prices <= CHEAPER_SHARE * case.price) & released).any(axis=0))[0]
    return case.start + int(hits[0]) if len(hits) else None


def run_of(world: World, case: Case, path: Sequence[int]) -> Run:
    """The run of a use case whose model on each day of the year is `path`."""
    score, terms = world.score[:, case.column], registered(world, case.first, floor_points=case.need, clauses=Clauses())
    steps = [(a, b) for a, b in pairwise([case.row, *path]) if a != b]
    good = [n for n, row in enumerate(path) if row != case.row and score[row] >= case.need]
    begin = first_good_day(world, case)
    return Run(
        cost=float(np.mean([price_now(world, row, case.start + n) for n, row in enumerate(path)]) / case.price),
        months_short=sum(bool(score[row] < case.need) for row in path) / DAYS_PER_MONTH,
        undone=sum(bool(score[a] < case.need) for a, _ in steps),
        months_to_first=(case.start + good[0] - begin) / DAYS_PER_MONTH if good and begin is not None else None,
        switches=len(steps),
        effort=sum(effort_usd(world, terms, a, b) for a, b in steps) / (12 * BILL_USD_PER_MONTH),
    )


def price_now(world: World, row: int, day: int) -> float:
    """The price of the day; the last one known where the model is no longer listed."""
    known = world.usd_per_mtok[row, : day - world.first_day + 1]
    return float(known[np.isfinite(known)][-1])


def new_rows(world: World, case: Case) -> np.ndarray:
    return (world.released > case.start) & (world.released < case.start + YEAR_DAYS)


def good_rows(world: World, case: Case) -> np.ndarray:
    """Released within the year, and measured well enough in the end."""
    with np.errstate(invalid="ignore"):
        return np.asarray(new_rows(world, case) & (world.score[:, case.column] >= case.need))


def cheapest(allowed: np.ndarray, price: Array, otherwise: int) -> int:
    rows = np.nonzero(allowed & np.isfinite(price))[0]
    return int(rows[np.argmin(price[rows])]) if len(rows) else otherwise


def _months(first: int, last: int) -> list[int]:
    return [d for d in range(first, last + 1) if date.fromordinal(d).day == 1]
