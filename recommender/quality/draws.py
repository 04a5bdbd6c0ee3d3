"""Fixed draws of the scores of models on benchmarks, and what they are worth: points, then shares where higher is better.

Measured cells enter with their value and sampling error, missing ones with the estimate; the missing cells of one model
share its factor error. The same table gives the same draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.quality.estimator import quantile_of
from recommender.quality.fitted import Fitted, Row, maker
from recommender.quality.table import Array

DRAWS = 1000


@dataclass(frozen=True)
class _Belief:
    """What one factor model says of one row on J benchmarks: levels, loadings (J, k), noise deviations, factors, their root."""

    levels: Array
    loadings: Array
    noise_sd: Array
    mean: Array
    root: Array


def draw_scores(fitted: Fitted, rows: Sequence[Row], names: Sequence[str]) -> Array:
    """(rows, DRAWS, J) scores in points. The last row is the model in use: its errors are its own, the others share theirs.

    Sharing does no harm, for only one of the others is ever held against the model in use.
    """
    cols = [fitted.columns[b] for b in names]
    whole = fitted.estimator
    z = whole.scale_.to_z(fitted.table)
    usual = quantile_of(whole.residuals_, 0.8) / 1.2816  # what calibration found against a normal
    newcomer = max(usual, whole.newcomer_quantile_ / 1.2816)
    rng = np.random.default_rng(2)
    factor_draws = [rng.standard_normal((DRAWS, whole.factors_[0].loadings.shape[1])) for _ in range(2)]
    cell_draws = [rng.standard_normal((DRAWS, len(names))) for _ in range(2)]
    scale = whole.scale_.of(cols)
    out = np.empty((len(rows), DRAWS, len(names)))
    for n, row in enumerate(rows):
        own = int(n == len(rows) - 1)
        at, cells, factors = fitted.rows[row], cell_draws[own], factor_draws[own]
        stretch = newcomer if fitted.few_scores(row) else usual
        drawn = z[at, cols] + cells * fitted.noise_sd[at, cols]
        beliefs = _beliefs(fitted, row, cols)
        for part, b in enumerate(beliefs):  # each model has its say in as many draws
            some = slice(part, None, len(beliefs))
            of_factors = (b.mean + stretch * factors[some] @ b.root.T) @ b.loadings.T
            estimate = b.levels + of_factors + stretch * cells[some] * b.noise_sd
            drawn[some] = np.where(np.isnan(z[at, cols]), estimate, drawn[some])
        out[n] = scale.to_points(drawn)
    return out


def _beliefs(fitted: Fitted, row: Row, cols: Sequence[int]) -> list[_Belief]:
    """A newcomer is told by the models fitted to recent releases, any other row by the one fitted to all."""
    at = fitted.rows[row]
    points, age = fitted.table[at : at + 1], fitted.age[at : at + 1]
    if fitted.is_newcomer(row):
        new = fitted.estimator.newcomers_
        told = [(m, new.expected(n, points, age, [maker(row[0])])) for n, m in enumerate(new.models)]
        found = [(m, e.levels[0], e.mean[0], e.covariance[0]) for m, e in told]
    else:
        model = fitted.estimator.factors_[0]
        z = fitted.estimator.scale_.to_z(points)
        mean, covariance = model.scores(np.nan_to_num(z), (~np.isnan(z)).astype(float), age)
        found = [(model, model.levels, mean[0], covariance[0])]
    return [
        _Belief(levels[cols], m.loadings[cols], np.sqrt(m.noise[cols]), mean, np.linalg.cholesky(covariance))
        for m, levels, mean, covariance in found
    ]


def goodness(fitted: Fitted, names: Sequence[str], draws: Array) -> Array:
    """Points -> share of good, higher is better: percent as it is, other scales against the board's mean model."""
    out = np.empty_like(draws)
    for k, b in enumerate(names):
        j, facts = fitted.columns[b], fitted.benchmarks[b]
        if facts.scale == "percent":
            share = draws[..., k] / 100
            out[..., k] = share if facts.higher_is_better else 1 - share
        else:
            d = (draws[..., k] - fitted.estimator.scale_.mean[j]) * (1 if facts.higher_is_better else -1)
            out[..., k] = win_share(
                d, 400.0 if facts.scale == "elo" else 2.4 * float(fitted.estimator.scale_.spread[j])
            )
    return out


def unit(fitted: Fitted, benchmark: str) -> float:
    """The lead that makes odds of 10 to 1 on a board that is no percentage."""
    spread = fitted.estimator.scale_.spread[fitted.columns[benchmark]]
    return 400.0 if fitted.benchmarks[benchmark].scale == "elo" else 2.4 * float(spread)


def win_share(d: Array, unit: float) -> Array:
    """Win share of a lead `d`, where a lead of `unit` makes odds of 10 to 1."""
    return np.asarray(1 / (1 + 10 ** (-d / unit)))
