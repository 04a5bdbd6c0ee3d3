"""A year of switching on real prices: what each rule would have paid, against staying and against an oracle (SCIENCE 4.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from recommender.backtest.foresee import Foreseen
from recommender.backtest.world import CHEAPER_SHARE, TAU_POINTS, Array, World, bootstrap, interval

YEAR_DAYS = 365
MONTH_DAYS = 365 / 12
LEAST_MEASURED = 15
LEVELS = (0.7, 0.9, 0.95)
Predictions = Mapping[tuple[int, int], Foreseen]


@dataclass(frozen=True)
class Case:
    column: int
    start: int
    row: int  # the first incumbent, the best measured
    points: float
    price: float


@dataclass(frozen=True)
class Run:
    """Of one use case under one rule: cost as a share of the first price, months under par, switches undone."""

    cost: float
    months_short: float
    undone: int
    months_to_first: float | None


@dataclass(frozen=True)
class YearLine:
    """A rule over all use cases. Ranges are 95 %, by drawing first incumbents."""

    rule: str
    use_cases: int
    incumbents: int
    cost: float
    captured: float | None  # of what the oracle saves
    captured_range: tuple[float, float] | None
    regret: float  # cost minus the oracle's
    months_short: float
    undone: float
    months_to_first: float | None  # from the first good candidate's release, over the use cases that switched


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
            if first_good_day(world, case) is not None:
                out.append(case)
    return out


def first_good_day(world: World, case: Case) -> int | None:
    """The first day of the year on which a model released in it was good and cheaper; only the truth may ask."""
    days = range(case.start, case.start + YEAR_DAYS)
    good = np.nonzero(_good(world, case))[0]
    prices = world.usd_per_mtok[good][:, days[0] - world.first_day : days[-1] + 1 - world.first_day]
    released = world.released[good][:, None] <= np.arange(days[0], days[-1] + 1)[None, :]
    hits = np.nonzero(((prices <= CHEAPER_SHARE * case.price) & released).any(axis=0))[0]
    return case.start + int(hits[0]) if len(hits) else None


def replay_years(world: World, foreseen: Sequence[Foreseen]) -> list[YearLine]:
    """A line for each rule over the same use cases; empty where there is none."""
    cases = cases_of(world)
    if not cases:
        return []
    predictions = {(f.row, f.column): f for f in foreseen}
    oracle = [_oracle(world, c) for c in cases]
    runs: list[tuple[str, list[Run]]] = [
        ("stay", [Run(_stay(world, c), 0.0, 0, None) for c in cases]),
        ("oracle", oracle),
        ("measured only", [follow(world, c, {}, 2.0) for c in cases]),
    ]
    runs += [(f"P >= {level}", [follow(world, c, predictions, level) for c in cases]) for level in LEVELS]
    return [_line(name, cases, own, oracle, world) for name, own in runs]


def follow(world: World, case: Case, predictions: Predictions, level: float) -> Run:
    """Day by day: to the cheapest known good, or early to the cheapest foreseen with P >= level; back when it falls short."""
    new = _new(world, case)
    hopeful = np.zeros(len(world.rows), dtype=bool)
    since = np.full(len(world.rows), np.iinfo(np.int64).max)
    for row in np.nonzero(new)[0]:
        f = predictions.get((int(row), case.column))
        p = f.p_at_least(case.points - TAU_POINTS) if f is not None else None
        if f is not None and p is not None and p >= level:
            hopeful[row], since[row] = True, f.day
    now, paid, short, undone, first = case.row, 0.0, 0, 0, None
    known_day, score = world.known_day[:, case.column], world.score[:, case.column]
    for day in range(case.start, case.start + YEAR_DAYS):
        price = world.price(day)
        known = known_day <= day
        proven = new & known & (score >= case.points - TAU_POINTS)
        proven[case.row] = True
        if known[now] and not proven[now]:
            now, undone = _cheapest(proven, price, case.row), undone + 1
        open_to = (proven | (hopeful & ~known & (since <= day))) & (world.released <= day)
        best = _cheapest(open_to, price, now)
        if best != now and price[best] <= CHEAPER_SHARE * price[now]:
            now = best
            if first is None and score[best] >= case.points - TAU_POINTS:
                first = day
        paid += _paid(world, now, day) / case.price
        short += bool(score[now] < case.points - TAU_POINTS)
    begin = first_good_day(world, case)
    wait = None if first is None or begin is None else (first - begin) / MONTH_DAYS
    return Run(paid / YEAR_DAYS, short / MONTH_DAYS, undone, wait)


def _oracle(world: World, case: Case) -> Run:
    """Knows every score at release and pays the lowest price of each day."""
    good = _good(world, case)
    good[case.row] = True
    paid = 0.0
    for day in range(case.start, case.start + YEAR_DAYS):
        row = _cheapest(good & (world.released <= day), world.price(day), case.row)
        paid += _paid(world, row, day) / case.price
    return Run(paid / YEAR_DAYS, 0.0, 0, 0.0)


def _stay(world: World, case: Case) -> float:
    days = range(case.start, case.start + YEAR_DAYS)
    return float(np.mean([_paid(world, case.row, d) for d in days]) / case.price)


def _new(world: World, case: Case) -> np.ndarray:
    return (world.released > case.start) & (world.released < case.start + YEAR_DAYS)


def _good(world: World, case: Case) -> np.ndarray:
    """Released within the year, and measured well enough in the end."""
    with np.errstate(invalid="ignore"):
        return np.asarray(_new(world, case) & (world.score[:, case.column] >= case.points - TAU_POINTS))


def _cheapest(allowed: np.ndarray, price: Array, otherwise: int) -> int:
    rows = np.nonzero(allowed & np.isfinite(price))[0]
    return int(rows[np.argmin(price[rows])]) if len(rows) else otherwise


def _paid(world: World, row: int, day: int) -> float:
    """The price of the day; the last one known where the model is no longer listed."""
    known = world.usd_per_mtok[row, : day - world.first_day + 1]
    return float(known[np.isfinite(known)][-1])


def _months(first: int, last: int) -> list[int]:
    return [d for d in range(first, last + 1) if date.fromordinal(d).day == 1]


def _line(name: str, cases: Sequence[Case], runs: Sequence[Run], oracle: Sequence[Run], world: World) -> YearLine:
    groups = sorted({world.groups[c.row] for c in cases})
    sums = np.zeros((len(groups), 2))
    for case, run, best in zip(cases, runs, oracle, strict=True):
        sums[groups.index(world.groups[case.row])] += (1 - run.cost, 1 - best.cost)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = bootstrap(sums)
        shares = drawn[:, 0] / drawn[:, 1]
    total = sums.sum(axis=0)
    waits = [r.months_to_first for r in runs if r.months_to_first is not None]
    cost = float(np.mean([r.cost for r in runs]))
    return YearLine(
        rule=name,
        use_cases=len(cases),
        incumbents=len(groups),
        cost=cost,
        captured=float(total[0] / total[1]) if total[1] else None,
        captured_range=interval(shares),
        regret=cost - float(np.mean([r.cost for r in oracle])),
        months_short=float(np.mean([r.months_short for r in runs])),
        undone=float(np.mean([r.undone for r in runs])),
        months_to_first=float(np.mean(waits)) if waits else None,
    )
