"""Every alert that could have been sent, by rule: how many, how often right, what they would have saved (SCIENCE 4.4, 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.backtest.asof import AsOf
from recommender.backtest.foresee import Foreseen
from recommender.backtest.rule import Choice, Clauses, answer, registered
from recommender.backtest.world import CHEAPER_SHARE, TAU_POINTS, World, bootstrap, interval

TOP_SHARE = 0.25
LEAST_INCUMBENTS = 3
LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Claim:
    """One decision: a candidate at most 0.7 as dear as an incumbent, and what was said of it before its score was known."""

    foreseen: Foreseen  # what the rivals made of it
    incumbent: int  # row
    candidate: str
    benchmark: str
    need_points: float
    p_ok: float  # as the product says it
    switch: bool  # whether the product says so at its defaults
    price_share: float
    gap_points: float  # D, candidate minus incumbent, as measured later
    shared_gap: float | None  # mean over the benchmarks both had by then

    @property
    def good(self) -> bool:
        return self.gap_points >= -TAU_POINTS


@dataclass(frozen=True)
class AlertLine:
    """A rule over all decisions. Ranges are 95 %, by drawing candidates."""

    rule: str
    alerts: int
    candidates: int
    precision: float | None
    precision_range: tuple[float, float] | None
    recall: float | None
    recall_range: tuple[float, float] | None
    saving_share: float | None
    mean_gap_points: float | None


@dataclass(frozen=True)
class FifthLine:
    """A fifth of the decisions by P: what was said and what was seen."""

    said: float
    seen: float


def claims_of(world: World, foreseen: Sequence[Foreseen], asof: AsOf) -> list[Claim]:
    """All decisions that could be given a probability, incumbents being the top quarter measured and priced that day.

    An incumbent within two points of zero is left out: whatever a candidate scores is good enough then.
    """
    return [c for f in foreseen if f.p_at_least(50.0) is not None for c in _claims(world, f, asof)]


def _claims(world: World, f: Foreseen, asof: AsOf) -> list[Claim]:
    seen, price = world.seen(f.day), world.price(f.day)
    rows = [
        row
        for row in incumbents(seen[:, f.column], price)
        if world.groups[row] != world.groups[f.row]
        and price[f.row] <= CHEAPER_SHARE * price[row]
        and seen[row, f.column] > TAU_POINTS
    ]
    needs = [float(seen[row, f.column]) - TAU_POINTS for row in rows]
    said = asof.p_at_least(f.row, f.column, needs, f.day) if rows else None
    return [_claim(world, f, row, need, p) for row, need, p in zip(rows, needs, said or [], strict=False)]


def _claim(world: World, f: Foreseen, incumbent: int, need: float, p: float) -> Claim:
    seen, price = world.seen(f.day), world.price(f.day)
    both = seen[f.row] - seen[incumbent]
    return Claim(
        foreseen=f,
        incumbent=incumbent,
        candidate=world.groups[f.row],
        benchmark=world.benchmarks[f.column],
        need_points=need,
        p_ok=p,
        switch=says_switch(world, f, incumbent, need, p, Clauses()),
        price_share=float(price[f.row] / price[incumbent]),
        gap_points=float(world.score[f.row, f.column] - seen[incumbent, f.column]),
        shared_gap=float(np.nanmean(both)) if np.isfinite(both).any() else None,
    )


def says_switch(world: World, f: Foreseen, incumbent: int, need: float, p: float, clauses: Clauses) -> bool:
    """What `decide` says on the day the candidate comes out, the only one there is, whatever its age."""
    if p < clauses.confidence:
        return False
    price = world.price(f.day)
    now = Choice(incumbent, float(price[incumbent]), 1.0)
    case = registered(world, now, floor_points=need, clauses=replace(clauses, min_age_days=0))
    told = answer(world, case, now, [Choice(f.row, float(price[f.row]), p)], f.day, clauses)
    return told.row is not None and (clauses.digest or not told.held)


def incumbents(scores: np.ndarray, price: np.ndarray) -> list[int]:
    """Rows of the best quarter among those with a score and a price; none where that is too few."""
    rows = np.nonzero(np.isfinite(scores) & np.isfinite(price))[0]
    count = int(len(rows) * TOP_SHARE)
    if count < LEAST_INCUMBENTS:
        return []
    return [int(r) for r in rows[np.argsort(-scores[rows], kind="stable")][:count]]


def weigh_alerts(claims: Sequence[Claim]) -> list[AlertLine]:
    """One line for each rule: the rivals of SCIENCE.md first, computed anew on the same decisions, then the product's P."""

    def prototype(level: float) -> Callable[[Claim], bool]:
        return lambda c: (c.foreseen.p_at_least(c.need_points) or 0.0) >= level

    def product(level: float) -> Callable[[Claim], bool]:
        return lambda c: c.p_ok >= level

    rules: list[tuple[str, Callable[[Claim], bool]]] = [
        ("never switch", lambda _: False),
        ("always, when cheaper", lambda _: True),
        ("not worse on shared boards", lambda c: c.shared_gap is not None and c.shared_gap >= 0),
        ("point estimate, additive", lambda c: c.foreseen.additive >= c.foreseen.z(c.need_points)),
        ("point estimate, factors", lambda c: c.foreseen.mean >= c.foreseen.z(c.need_points)),
        *((f"prototype, P >= {level}", prototype(level)) for level in LEVELS[1:]),
        *((f"undercut, P >= {level}", product(level)) for level in LEVELS),
        ("undercut, its whole rule", lambda c: c.switch),
        ("oracle", lambda c: c.good),
    ]
    return [alert_line(name, [rule(c) for c in claims], claims) for name, rule in rules]


def said_and_seen(claims: Sequence[Claim]) -> list[FifthLine]:
    """By fifth of P, lowest first: mean P said and share seen good."""
    order = sorted(claims, key=lambda c: c.p_ok)
    parts = [order[len(order) * k // 5 : len(order) * (k + 1) // 5] for k in range(5)]
    return [
        FifthLine(float(np.mean([c.p_ok for c in part])), float(np.mean([c.good for c in part])))
        for part in parts
        if part
    ]


def alert_line(name: str, sent: Sequence[bool], claims: Sequence[Claim]) -> AlertLine:
    """Of a rule that sends an alert for some of the decisions."""
    order = {c: n for n, c in enumerate(sorted({c.candidate for c in claims}))}
    sums = np.zeros((len(order), 3))  # alerts, good alerts, good
    for yes, c in zip(sent, claims, strict=True):
        sums[order[c.candidate]] += (yes, yes and c.good, c.good)
    total = sums.sum(axis=0)
    drawn = bootstrap(sums) if order else np.zeros((0, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        precisions, recalls = drawn[:, 1] / drawn[:, 0], drawn[:, 1] / drawn[:, 2]
    alerted = [c for yes, c in zip(sent, claims, strict=True) if yes]
    return AlertLine(
        rule=name,
        alerts=len(alerted),
        candidates=len({c.candidate for c in alerted}),
        precision=float(total[1] / total[0]) if total[0] else None,
        precision_range=interval(precisions),
        recall=float(total[1] / total[2]) if total[2] else None,
        recall_range=interval(recalls),
        saving_share=float(np.mean([1 - c.price_share for c in alerted])) if alerted else None,
        mean_gap_points=float(np.mean([c.gap_points for c in alerted])) if alerted else None,
    )
