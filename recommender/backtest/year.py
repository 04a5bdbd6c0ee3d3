"""A year of switching on real prices: what each rule would have paid, against staying and against an oracle (SCIENCE 4.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.backtest.asof import AsOf
from recommender.backtest.case import YEAR_DAYS, Case, Run, cases_of, new_rows
from recommender.backtest.follow import Chances, Hopes, Said, decided, follow, oracle, stay
from recommender.backtest.foresee import Foreseen
from recommender.backtest.rule import Clauses
from recommender.backtest.world import NEVER, Array, World, bootstrap, interval

LEVELS = (0.7, 0.9, 0.95)
CONFIDENCES = (0.7, 0.85, 0.95)  # of the product's rule; 0.85 is the registry's default


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


class Years:
    """The use cases of a replay, each with a full year ahead, and what was said of their candidates on which day."""

    def __init__(self, world: World, foreseen: Sequence[Foreseen], asof: AsOf) -> None:
        self.world, self.cases = world, cases_of(world)
        self.rivals = {(f.row, f.column): f for f in foreseen}
        self.chances = _chances(world, self.cases, self.rivals, asof)
        self.said = [_said(world, c, self.rivals, self.chances) for c in self.cases]
        self.oracle = [oracle(world, c) for c in self.cases]

    def decided(self, clauses: Clauses) -> list[Run]:
        """The product's own rule on every use case."""
        return [decided(self.world, c, p, self.chances, clauses) for c, p in zip(self.cases, self.said, strict=True)]

    def line(self, name: str, runs: Sequence[Run]) -> YearLine:
        return _line(name, self.cases, runs, self.oracle, self.world)


def replay_years(years: Years) -> list[YearLine]:
    """A line for each rule over the same use cases; empty where there is none."""
    world, cases, rivals = years.world, years.cases, years.rivals
    if not cases:
        return []
    runs: list[tuple[str, list[Run]]] = [
        ("never switch", [Run(stay(world, c), 0.0, 0, None, effort=0.0) for c in cases]),
        ("always the cheapest", [follow(world, c, _always(world, c)) for c in cases]),
        ("point estimate", [follow(world, c, _likely(world, c, rivals)) for c in cases]),
        ("measured only", [follow(world, c, {}) for c in cases]),
    ]
    runs += [
        (f"P >= {level}", [follow(world, c, _over(p, level)) for c, p in zip(cases, years.said, strict=True)])
        for level in LEVELS
    ]
    runs += [(f"undercut, {level}", years.decided(Clauses(confidence=level))) for level in CONFIDENCES]
    runs.append(("oracle", years.oracle))
    return [years.line(name, own) for name, own in runs]


def _chances(world: World, cases: Sequence[Case], rivals: Mapping[tuple[int, int], Foreseen], asof: AsOf) -> Chances:
    """What the product said of every new row on the day it was first priced, and on the day its score became known."""
    asked: dict[tuple[int, int, int], set[float]] = defaultdict(set)
    for case in cases:
        for row in map(int, np.nonzero(new_rows(world, case))[0]):
            known = int(world.known_day[row, case.column])
            first = rivals.get((row, case.column))
            for day in (known, first.day if first else NEVER):
                if day < case.start + YEAR_DAYS:
                    asked[row, case.column, day].add(case.need)
    out: Chances = {}
    for (row, column, day), needs in sorted(asked.items()):
        order = sorted(needs)
        said = asof.p_at_least(row, column, order, day)
        out.update({(row, column, day, need): p for need, p in zip(order, said or [], strict=False)})
    return out


def _said(world: World, case: Case, rivals: Mapping[tuple[int, int], Foreseen], chances: Chances) -> Said:
    """Row: day on which it was first priced, and the probability that the product gave it then."""
    out = {}
    for row in map(int, np.nonzero(new_rows(world, case))[0]):
        f = rivals.get((row, case.column))
        p = chances.get((row, case.column, f.day, case.need)) if f else None
        if f is not None and p is not None:
            out[row] = (f.day, p)
    return out


def _over(said: Mapping[int, tuple[int, float]], level: float) -> Hopes:
    return {row: day for row, (day, p) in said.items() if p >= level}


def _always(world: World, case: Case) -> Hopes:
    return {int(row): int(world.released[row]) for row in np.nonzero(new_rows(world, case))[0]}


def _likely(world: World, case: Case, rivals: Mapping[tuple[int, int], Foreseen]) -> Hopes:
    own = {row: rivals[row, case.column] for row in _always(world, case) if (row, case.column) in rivals}
    return {row: f.day for row, f in own.items() if f.mean >= f.z(case.need)}


def _line(name: str, cases: Sequence[Case], runs: Sequence[Run], oracle: Sequence[Run], world: World) -> YearLine:
    groups = sorted({world.groups[c.row] for c in cases})
    staying = [stay(world, c) for c in cases]
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
        saved=float(np.mean(staying) - cost),
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
