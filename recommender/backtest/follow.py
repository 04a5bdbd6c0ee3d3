"""A year of one use case, day by day, under a rule: the rivals of SCIENCE 4.6, the oracle, and the product's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from recommender.backtest.case import YEAR_DAYS, Case, Run, cheapest, good_rows, new_rows, price_now, run_of
from recommender.backtest.rule import Answer, Choice, Clauses, answer, registered
from recommender.backtest.world import CHEAPER_SHARE, World

Chances = dict[tuple[int, int, int, float], float]  # row, board, day, points needed: probability
Hopes = Mapping[int, int]  # rows trusted before they are measured, and the day from which
Said = Mapping[int, tuple[int, float]]  # row: day on which it was first priced, and the probability given to it then


def follow(world: World, case: Case, hopes: Hopes) -> Run:
    """SCIENCE 4.6, day by day: to the cheapest known good, or early to the cheapest hoped for; back when it falls short."""
    new = new_rows(world, case)
    known_day, score = world.known_day[:, case.column], world.score[:, case.column]
    since = np.full(len(world.rows), np.iinfo(np.int64).max)
    for row, day in hopes.items():
        since[row] = day
    path = []
    now = case.row
    for day in range(case.start, case.start + YEAR_DAYS):
        price, known = world.price(day), known_day <= day
        proven = new & known & (score >= case.need)
        proven[case.row] = True
        if known[now] and not proven[now]:
            now = cheapest(proven, price, case.row)
        open_to = (proven | (~known & (since <= day))) & (world.released <= day)
        best = cheapest(open_to, price, now)
        if best != now and price[best] <= CHEAPER_SHARE * price[now]:
            now = best
        path.append(now)
    return run_of(world, case, path)


def decided(world: World, case: Case, said: Said, chances: Chances, clauses: Clauses) -> Run:
    """The product's own rule, day by day: `decide` on a registry's terms, its cooldown, and back when it falls short."""
    use_case = registered(world, case.first, floor_points=case.need, clauses=clauses)
    known_day, score = world.known_day[:, case.column], world.score[:, case.column]
    path, now, calm_until, held_since = [], case.row, case.start, None
    asked: tuple[int, float, tuple[Choice, ...]] | None = None
    told = Answer(None)
    for day in range(case.start, case.start + YEAR_DAYS):
        if known_day[now] <= day and score[now] < case.need:
            now = case.row
        price = price_now(world, now, day)
        question = (now, price, tuple(_choices(world, case, said, chances, clauses, price, day)))
        if day >= calm_until:
            if question != asked:
                present = Choice(now, price, 1.0)
                told = answer(world, use_case, present, question[2], day, clauses) if question[2] else Answer(None)
                asked = question
            held_since = (day if held_since is None else held_since) if told.held else None
            heard = clauses.digest and held_since is not None and day - held_since >= use_case.switch.hold_days
            if told.row is not None and (heard or not told.held):
                now, calm_until, held_since = told.row, day + use_case.switch.cooldown_days, None
        path.append(now)
    return run_of(world, case, path)


def _choices(
    world: World, case: Case, said: Said, chances: Chances, clauses: Clauses, below: float, day: int
) -> Iterator[Choice]:
    """Cheaper models released in the year, old enough, and sure enough that `decide` may say switch."""
    price, age = world.price(day), clauses.min_age_days
    for row in map(int, np.nonzero(new_rows(world, case) & (price < below) & (world.released + age <= day))[0]):
        p = _p_ok(world, case, said, chances, clauses, row, day)
        if p is not None and p >= clauses.confidence:
            yield Choice(row, float(price[row]), p)


def _p_ok(world: World, case: Case, said: Said, chances: Chances, clauses: Clauses, row: int, day: int) -> float | None:
    known = int(world.known_day[row, case.column])
    if known > day:
        first = said.get(row)
        return first[1] if first is not None and first[0] <= day else None
    if clauses.sampling_error:
        return chances.get((row, case.column, known, case.need))
    return float(world.score[row, case.column] >= case.need)


def oracle(world: World, case: Case) -> Run:
    """Knows every score at release and pays the lowest price of each day."""
    good = good_rows(world, case)
    good[case.row] = True
    paid = 0.0
    for day in range(case.start, case.start + YEAR_DAYS):
        row = cheapest(good & (world.released <= day), world.price(day), case.row)
        paid += price_now(world, row, day) / case.price
    return Run(paid / YEAR_DAYS, 0.0, 0, 0.0)


def stay(world: World, case: Case) -> float:
    """Cost of never switching, as a share of the first price."""
    days = range(case.start, case.start + YEAR_DAYS)
    return float(np.mean([price_now(world, case.row, d) for d in days]) / case.price)
