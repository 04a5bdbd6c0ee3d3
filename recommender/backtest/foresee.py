"""What the prototype would have predicted of each candidate on its first priced day, from what was known then alone.

SCIENCE.md 3.2 and 4.1 to the letter, and the plain additive estimate: the rivals that the product's own probability meets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from recommender.backtest.world import Array, World
from recommender.quality import ScoreEstimator

LEAST_MODELS = 40
LEAST_ON_BENCHMARK = 5
LEAST_SHOWN = 2
POOL = 400
LEAST_POOL = 60
NO_CALIBRATION = 10**9  # more folds than cells: the replay calibrates on its own past residuals


@dataclass(frozen=True)
class Foreseen:
    """One candidate on one benchmark before its score was known: mean and deviation in z, and the pool of that day."""

    row: int
    column: int
    day: int
    mean: float
    spread: float
    pool: Array  # signed residuals of earlier predictions whose truth was known by `day`
    at: tuple[float, float]  # mean and spread of the benchmark's scale
    additive: float  # the plain rival: level of the benchmark plus the model's own mean residual, in z

    def z(self, points: float) -> float:
        share = min(max(points / 100, 0.005), 0.995)
        return float((np.log(share / (1 - share)) - self.at[0]) / self.at[1])

    def p_at_least(self, points: float) -> float | None:
        """Share of the pool's residuals that would lift the prediction to `points`; None while the pool is small."""
        if len(self.pool) < LEAST_POOL:
            return None
        return float(np.mean(self.mean + self.pool * self.spread >= self.z(points)))


def foresee(world: World, *, until: int | None = None) -> list[Foreseen]:
    """Every prediction in order of the day; refitted on the first of each month. `until` stops the replay there."""
    out: list[Foreseen] = []
    past: list[tuple[int, int, float]] = []  # day the truth became known, order, residual
    fitted: tuple[int, _Fit | None] = (0, None)
    for day, row in _arrivals(world):
        if until is not None and day > until:
            break
        month = date.fromordinal(day).replace(day=1).toordinal()
        if month != fitted[0]:
            fitted = (month, _fit(world, month))
        fit = fitted[1]
        targets = np.nonzero(np.isfinite(world.score[row]) & (world.known_day[row] > day))[0]
        shown = int((world.known_day[row] <= day).sum())
        if fit is None or shown < LEAST_SHOWN or len(targets) == 0:
            continue
        mean, spread, additive = fit.predict(world, row, day)
        pool = np.array([r for _, _, r in sorted(p for p in past if p[0] <= day)[-POOL:]])
        for column in targets:
            if not fit.usable[column]:
                continue
            at = (float(fit.estimator.scale_.mean[column]), float(fit.estimator.scale_.spread[column]))
            one = Foreseen(
                row, int(column), day, float(mean[column]), float(spread[column]), pool, at, float(additive[column])
            )
            out.append(one)
            truth = one.z(float(world.score[row, column]))  # enters the pool only from the day it is known
            past.append((int(world.known_day[row, column]), len(out), (truth - one.mean) / one.spread))
    return out


@dataclass(frozen=True)
class _Fit:
    estimator: ScoreEstimator
    centre: float
    usable: Array

    def predict(self, world: World, row: int, day: int) -> tuple[Array, Array, Array]:
        cells = world.seen(day)[row : row + 1]
        age = np.array([(world.released[row] - self.centre) / 365])
        mean, spread = self.estimator.predict_z(cells, age)
        z = self.estimator.scale_.to_z(cells)[0]
        own = np.nansum(z) / (np.isfinite(z).sum() + 1)  # shrunk as if by one zero
        return mean[0], spread[0], np.full(len(z), own)


def _fit(world: World, day: int) -> _Fit | None:
    seen = world.seen(day)
    known = np.isfinite(seen)
    rows = known.any(axis=1)
    if rows.sum() < LEAST_MODELS:
        return None
    released = world.released[rows].astype(float)
    estimator = ScoreEstimator(ranks=(2,), folds=NO_CALIBRATION)
    percent = np.ones(seen.shape[1], dtype=bool)
    estimator.fit(seen[rows], age=(released - released.mean()) / 365, percent=percent)
    return _Fit(estimator, float(released.mean()), known.sum(axis=0) >= LEAST_ON_BENCHMARK)


def _arrivals(world: World) -> list[tuple[int, int]]:
    """(first day released and priced, row), in order."""
    out = []
    for row, released in enumerate(world.released):
        start = max(int(released), world.first_day)
        priced = np.nonzero(np.isfinite(world.usd_per_mtok[row, start - world.first_day :]))[0]
        if len(priced):
            out.append((start + int(priced[0]), row))
    return sorted(out)
