"""A year of switching on real prices: what each rule would have paid, against staying and against an oracle (SCIENCE 4.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from data.records import UseCase
from recommender.backtest.asof import AsOf
from recommender.backtest.foresee import Foreseen
from recommender.backtest.rule import BILL_USD_PER_MONTH, Choice, effort_usd, registered, switch_to
from recommender.backtest.world import CHEAPER_SHARE, NEVER, TAU_POINTS, Array, World, bootstrap, interval

YEAR_DAYS = 365
MONTH_DAYS = 365 / 12
LEAST_MEASURED = 15
MIN_AGE_DAYS = 14  # of a registry
LEVELS = (0.7, 0.9, 0.95)
CONFIDENCES = (0.7, 0.85, 0.95)  # of the product's rule; 0.85 is the registry's default
Chances = dict[tuple[int, int, int, float], float]  # row, board, day, points needed: probability
Hopes = Mapping[int, int]  # rows trusted before they are measured, and the day from which


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
    switches: int = 0
    effort: float | None = None  # what the switches cost once, as a share of a year's first bill; None: not asked


@dataclass(frozen=True)
class YearLine:
    """A rule over all use cases. Ranges are 95 %, by drawing first incumbents."""

    rule: str
    use_cases: int
    incumbents: int
    cost: float  # of the first bill
    cost_range: tuple[float, float] | None
    captured: float | None  # of what the oracle saves
    captured_range: tuple[float, float] | None
    regret: float  # cost minus the oracle's
    regret_range: tuple[float, float] | None
    saved: float  # cost of staying minus this one's: regret against never switching, turned round
    months_short: float
    undone: float
    switches: float
    effort: float | None
    months_to_first: float | None  # from the first good candidate's release, over the use cases that switched
    months_to_first_range: tuple[float, float] | None


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
    good = np.nonzero(_good(world, case))[0]
    prices = world.usd_per_mtok[good][:, days[0] - world.first_day : days[-1] + 1 - world.first_day]
    released = world.released[good][:, None] <= np.arange(days[0], days[-1] + 1)[None, :]
    hits = np.nonzero(((prices <= CHEAPER_SHARE * case.price) & released).any(axis=0))[0]
    return case.start + int(hits[0]) if len(hits) else None


def replay_years(world: World, foreseen: Sequence[Foreseen], asof: AsOf) -> list[YearLine]:
    """A line for each rule over the same use cases; empty where there is none."""
    cases = cases_of(world)
    if not cases:
        return []
    rivals = {(f.row, f.column): f for f in foreseen}
    chances = _chances(world, cases, rivals, asof)
    said = [_said(world, c, rivals, chances) for c in cases]
    oracle = [_oracle(world, c) for c in cases]
    runs: list[tuple[str, list[Run]]] = [
        ("never switch", [Run(_stay(world, c), 0.0, 0, None) for c in cases]),
        ("always the cheapest", [follow(world, c, _always(world, c)) for c in cases]),
        ("point estimate", [follow(world, c, _likely(world, c, rivals)) for c in cases]),
        ("measured only", [follow(world, c, {}) for c in cases]),
    ]
    runs += [
        (f"P >= {level}", [follow(world, c, _over(p, level)) for c, p in zip(cases, said, strict=True)])
        for level in LEVELS
    ]
    runs += [
        (f"undercut, {level}", [decided(world, c, p, chances, level) for c, p in zip(cases, said, strict=True)])
        for level in CONFIDENCES
    ]
    runs.append(("oracle", oracle))
    return [_line(name, cases, own, oracle, world) for name, own in runs]


def _chances(world: World, cases: Sequence[Case], rivals: Mapping[tuple[int, int], Foreseen], asof: AsOf) -> Chances:
    """What the product said of every new row on the day it was first priced, and on the day its score became known."""
    asked: dict[tuple[int, int, int], set[float]] = defaultdict(set)
    for case in cases:
        for row in map(int, np.nonzero(_new(world, case))[0]):
            known = int(world.known_day[row, case.column])
            first = rivals.get((row, case.column))
            for day in (known, first.day if first else NEVER):
                if day < case.start + YEAR_DAYS:
                    asked[row, case.column, day].add(case.points - TAU_POINTS)
    out: Chances = {}
    for (row, column, day), needs in sorted(asked.items()):
        order = sorted(needs)
        said = asof.p_at_least(row, column, order, day)
        out.update({(row, column, day, need): p for need, p in zip(order, said or [], strict=False)})
    return out


def _said(
    world: World, case: Case, rivals: Mapping[tuple[int, int], Foreseen], chances: Chances
) -> dict[int, tuple[int, float]]:
    """Row: day on which it was first priced, and the probability that the product gave it then."""
    out = {}
    for row in map(int, np.nonzero(_new(world, case))[0]):
        f = rivals.get((row, case.column))
        p = chances.get((row, case.column, f.day, case.points - TAU_POINTS)) if f else None
        if f is not None and p is not None:
            out[row] = (f.day, p)
    return out


def _over(said: Mapping[int, tuple[int, float]], level: float) -> Hopes:
    return {row: day for row, (day, p) in said.items() if p >= level}


def _always(world: World, case: Case) -> Hopes:
    return {int(row): int(world.released[row]) for row in np.nonzero(_new(world, case))[0]}


def _likely(world: World, case: Case, rivals: Mapping[tuple[int, int], Foreseen]) -> Hopes:
    own = {row: rivals[row, case.column] for row in _always(world, case) if (row, case.column) in rivals}
    return {row: f.day for row, f in own.items() if f.mean >= f.z(case.points - TAU_POINTS)}


def follow(world: World, case: Case, hopes: Hopes) -> Run:
    """SCIENCE 4.6, day by day: to the cheapest known good, or early to the cheapest hoped for; back when it falls short."""
    new = _new(world, case)
    known_day, score = world.known_day[:, case.column], world.score[:, case.column]
    since = np.full(len(world.rows), np.iinfo(np.int64).max)
    for row, day in hopes.items():
        since[row] = day
    path = []
    now = case.row
    for day in range(case.start, case.start + YEAR_DAYS):
        price, known = world.price(day), known_day <= day
        proven = new & known & (score >= case.points - TAU_POINTS)
        proven[case.row] = True
        if known[now] and not proven[now]:
            now = _cheapest(proven, price, case.row)
        open_to = (proven | (~known & (since <= day))) & (world.released <= day)
        best = _cheapest(open_to, price, now)
        if best != now and price[best] <= CHEAPER_SHARE * price[now]:
            now = best
        path.append(now)
    return _run(world, case, path)


def decided(
    world: World, case: Case, said: Mapping[int, tuple[int, float]], chances: Chances, confidence: float
) -> Run:
    """The product's own rule, day by day: `decide` with the defaults of a registry, its cooldown, and back when it falls short."""
    need = case.points - TAU_POINTS
    known_day, score = world.known_day[:, case.column], world.score[:, case.column]
    first = Choice(case.row, case.price, 1.0)
    use_case = registered(world, first, floor_points=need, confidence=confidence, min_age_days=MIN_AGE_DAYS)
    rows = np.nonzero(_new(world, case))[0]
    measured: dict[int, float | None] = {}
    path, now, calm_until, asked = [], case.row, case.start, None
    for day in range(case.start, case.start + YEAR_DAYS):
        price = world.price(day)
        if known_day[now] <= day and score[now] < need:
            now = case.row
        choices = []
        for row in rows[(price[rows] < price_now(world, now, day)) & (world.released[rows] + MIN_AGE_DAYS <= day)]:
            if known_day[row] <= day and row not in measured:
                measured[row] = chances.get((int(row), case.column, int(known_day[row]), need))
            early = said.get(int(row))
            p = measured.get(row) if row in measured else early[1] if early and early[0] <= day else None
            if p is not None and p >= confidence:  # below it `decide` never says switch
                choices.append(Choice(int(row), float(price[row]), p))
        question = (now, price_now(world, now, day), tuple(choices))
        if choices and day >= calm_until and question != asked:
            to = switch_to(world, use_case, Choice(now, question[1], 1.0), choices, day)
            asked = question
            if to is not None:
                now, calm_until = to, day + use_case.switch.cooldown_days
        path.append(now)
    return _run(world, case, path, registered(world, first, floor_points=need, confidence=confidence, min_age_days=0))


def _run(world: World, case: Case, path: Sequence[int], terms: UseCase | None = None) -> Run:
    """The run of a use case whose model on each day of the year is `path`; `terms` say what a switch costs."""
    score, need = world.score[:, case.column], case.points - TAU_POINTS
    steps = [(a, b) for a, b in pairwise([case.row, *path]) if a != b]
    good = [n for n, row in enumerate(path) if row != case.row and score[row] >= need]
    begin = first_good_day(world, case)
    return Run(
        cost=float(np.mean([price_now(world, row, case.start + n) for n, row in enumerate(path)]) / case.price),
        months_short=sum(bool(score[row] < need) for row in path) / MONTH_DAYS,
        undone=sum(bool(score[a] < need) for a, _ in steps),
        months_to_first=(case.start + good[0] - begin) / MONTH_DAYS if good and begin is not None else None,
        switches=len(steps),
        effort=sum(effort_usd(world, terms, a, b) for a, b in steps) / (12 * BILL_USD_PER_MONTH) if terms else None,
    )


def price_now(world: World, row: int, day: int) -> float:
    """The price of the day; the last one known where the model is no longer listed."""
    known = world.usd_per_mtok[row, : day - world.first_day + 1]
    return float(known[np.isfinite(known)][-1])


def _oracle(world: World, case: Case) -> Run:
    """Knows every score at release and pays the lowest price of each day."""
    good = _good(world, case)
    good[case.row] = True
    paid = 0.0
    for day in range(case.start, case.start + YEAR_DAYS):
        row = _cheapest(good & (world.released <= day), world.price(day), case.row)
        paid += price_now(world, row, day) / case.price
    return Run(paid / YEAR_DAYS, 0.0, 0, 0.0)


def _stay(world: World, case: Case) -> float:
    days = range(case.start, case.start + YEAR_DAYS)
    return float(np.mean([price_now(world, case.row, d) for d in days]) / case.price)


def _new(world: World, case: Case) -> np.ndarray:
    return (world.released > case.start) & (world.released < case.start + YEAR_DAYS)


def _good(world: World, case: Case) -> np.ndarray:
    """Released within the year, and measured well enough in the end."""
    with np.errstate(invalid="ignore"):
        return np.asarray(_new(world, case) & (world.score[:, case.column] >= case.points - TAU_POINTS))


def _cheapest(allowed: np.ndarray, price: Array, otherwise: int) -> int:
    rows = np.nonzero(allowed & np.isfinite(price))[0]
    return int(rows[np.argmin(price[rows])]) if len(rows) else otherwise


def _months(first: int, last: int) -> list[int]:
    return [d for d in range(first, last + 1) if date.fromordinal(d).day == 1]


def _line(name: str, cases: Sequence[Case], runs: Sequence[Run], oracle: Sequence[Run], world: World) -> YearLine:
    groups = sorted({world.groups[c.row] for c in cases})
    stay = [_stay(world, c) for c in cases]
    sums = np.zeros((len(groups), 5))  # use cases, cost, oracle's cost, waits, switched
    for case, run, best in zip(cases, runs, oracle, strict=True):
        wait = run.months_to_first
        sums[groups.index(world.groups[case.row])] += (1, run.cost, best.cost, wait or 0.0, wait is not None)
    cost, captured, regret, wait = _figures(sums.sum(axis=0)[None])[0]
    ranges = [interval(column) for column in _figures(bootstrap(sums)).T]
    efforts = [r.effort for r in runs if r.effort is not None]
    return YearLine(
        rule=name,
        use_cases=len(cases),
        incumbents=len(groups),
        cost=float(cost),
        cost_range=ranges[0],
        captured=float(captured) if np.isfinite(captured) else None,
        captured_range=ranges[1],
        regret=float(regret),
        regret_range=ranges[2],
        saved=float(np.mean(stay) - cost),
        months_short=float(np.mean([r.months_short for r in runs])),
        undone=float(np.mean([r.undone for r in runs])),
        switches=float(np.mean([r.switches for r in runs])),
        effort=float(np.mean(efforts)) if efforts else None,
        months_to_first=float(wait) if np.isfinite(wait) else None,
        months_to_first_range=ranges[3],
    )


def _figures(sums: Array) -> Array:
    """(N, 4) cost, captured, regret and months to the first good switch from (N, 5) sums."""
    cases, cost, oracle, waits, switched = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = (cost / cases, (cases - cost) / (cases - oracle), (cost - oracle) / cases, waits / switched)
        return np.column_stack(columns)
