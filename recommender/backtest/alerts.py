"""Every alert that could have been sent, by rule: how many, how often right, what they would have saved (SCIENCE 4.4, 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.backtest.foresee import Foreseen
from recommender.backtest.world import CHEAPER_SHARE, TAU_POINTS, World, bootstrap, interval

TOP_SHARE = 0.25
LEAST_INCUMBENTS = 3
LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Claim:
    """One decision: a candidate at most 0.7 as dear as an incumbent, and what was said of it before its score was known."""

    foreseen: Foreseen
    candidate: str
    benchmark: str
    need_points: float
    p_ok: float
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


def claims_of(world: World, foreseen: Sequence[Foreseen]) -> list[Claim]:
    """All decisions that could be given a probability, incumbents being the top quarter measured and priced that day."""
    out = []
    for f in foreseen:
        if f.p_at_least(50.0) is None:
            continue
        seen, price = world.seen(f.day), world.price(f.day)
        for row in incumbents(seen[:, f.column], price):
            share = price[f.row] / price[row]
            if world.groups[row] == world.groups[f.row] or not share <= CHEAPER_SHARE:
                continue
            need = float(seen[row, f.column]) - TAU_POINTS
            both = seen[f.row] - seen[row]
            gap = float(world.score[f.row, f.column] - seen[row, f.column])
            p = f.p_at_least(need)
            shared = float(np.nanmean(both)) if np.isfinite(both).any() else None
            where = (world.groups[f.row], world.benchmarks[f.column])
            out.append(Claim(f, *where, need, p if p is not None else 0.0, float(share), gap, shared))
    return out


def incumbents(scores: np.ndarray, price: np.ndarray) -> list[int]:
    """Rows of the best quarter among those with a score and a price; none where that is too few."""
    rows = np.nonzero(np.isfinite(scores) & np.isfinite(price))[0]
    count = int(len(rows) * TOP_SHARE)
    if count < LEAST_INCUMBENTS:
        return []
    return [int(r) for r in rows[np.argsort(-scores[rows], kind="stable")][:count]]


def weigh_alerts(claims: Sequence[Claim]) -> list[AlertLine]:
    """One line for each rule: its rivals first, then the probability's levels."""
    rules: list[tuple[str, Callable[[Claim], bool]]] = [
        ("always, when cheaper", lambda _: True),
        ("not worse on shared benchmarks", lambda c: c.shared_gap is not None and c.shared_gap >= 0),
        ("point estimate, additive", lambda c: c.foreseen.additive >= c.foreseen.z(c.need_points)),
        ("point estimate, factors", lambda c: c.foreseen.mean >= c.foreseen.z(c.need_points)),
    ]
    rules += [(f"P >= {level}", lambda c, level=level: c.p_ok >= level) for level in LEVELS]  # type: ignore[misc]
    return [_line(name, [rule(c) for c in claims], claims) for name, rule in rules]


def _line(name: str, sent: Sequence[bool], claims: Sequence[Claim]) -> AlertLine:
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
