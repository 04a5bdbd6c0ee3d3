"""New releases of which a few scores are known: what the recent models and the maker's own earlier ones lead to expect.

Factor models of their own, for a table of old models misleads about new ones: recent releases count more in the fit, and a
maker's earlier models lend what set them apart, as a whole and benchmark by benchmark. Half of the models take scores as
exact, half by a sampling error (near 0 and 100 an item or two moves a logit a lot): which is better differs by table, and
their mean was better than either. Chosen on releases and tables that are not reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.quality.factor import Factors, fit
from recommender.quality.table import Array, Scale

HALF_LIFE_YEARS = 0.5  # of a model's weight in the fit, and of what it lends to its maker's later ones
ITEMS = (np.inf, 100.0)  # a score counts as if measured on so many, in each half of the models
PENALTY = 1.0  # on the loadings: few models, but like those to come
NO_KIN = 1.0  # the weight of a maker's models at which they are believed by half


@dataclass(frozen=True)
class Expected:
    """Under one factor model: levels (N, J), factors (N, k) and their covariance (N, k, k) of the models asked."""

    levels: Array
    mean: Array
    covariance: Array


@dataclass(frozen=True)
class Newcomers:
    """Fitted factor models and what each training model left over: factors beyond its date, cells beyond its factors."""

    scale: Scale
    models: list[Factors]
    items: list[float]  # per model: see ITEMS
    age: Array
    makers: tuple[str, ...]
    beyond_date: list[Array]
    beyond_factors: list[tuple[Array, Array]]  # (N, J) residuals in z, 0 where unknown, and how much each counts

    def expected(self, model: int, x: Array, age: Array, makers: Sequence[str] | None = None) -> Expected:
        """`x` (N, J) what is known in points, `age` in years from the mean day of the training models, "" for no maker."""
        z, known = _cells(self.scale, x)
        kin = self._kin(age, makers)
        residual, counts = self.beyond_factors[model]
        factors = self.models[model]
        lean = kin @ self.beyond_date[model] / (kin.sum(axis=1, keepdims=True) + NO_KIN)
        levels = factors.levels + kin @ residual / (kin @ counts + NO_KIN)
        error = self.scale.sampling_variance(x, self.items[model])
        shifted = np.where(known > 0, z - levels + factors.levels, 0.0)
        mean, covariance = factors.scores(shifted, known, age, error=error, lean=lean)
        return Expected(levels, mean, covariance)

    def predict(self, x: Array, age: Array, makers: Sequence[str] | None = None) -> tuple[Array, Array]:
        """Mean and standard deviation of every cell (N, J) in standard units: the models' mean, their spread added."""
        means, variances = [], []
        for n, model in enumerate(self.models):
            e = self.expected(n, x, age, makers)
            means.append(e.levels + e.mean @ model.loadings.T)
            variances.append(np.einsum("jk,nkl,jl->nj", model.loadings, e.covariance, model.loadings) + model.noise)
        return np.mean(means, axis=0), np.sqrt(np.mean(variances, axis=0) + np.var(means, axis=0))

    def _kin(self, age: Array, makers: Sequence[str] | None) -> Array:
        """(N, training models) weight of a maker's earlier models; a model is no kin of itself nor of later ones."""
        makers = [""] * len(age) if makers is None else list(makers)
        same = np.array([[bool(m) and m == other for other in self.makers] for m in makers], dtype=float)
        years = age[:, None] - self.age[None, :]
        return np.where(years > 0, same * 0.5 ** (np.maximum(years, 0) / HALF_LIFE_YEARS), 0.0)


def fit_newcomers(
    scale: Scale, x: Array, age: Array, ranks: Sequence[int], makers: Sequence[str] | None = None
) -> Newcomers:
    """From a table of points (N models, J benchmarks, NaN unknown); `age` in years from its mean day."""
    z, known = _cells(scale, x)
    weight = 0.5 ** ((age.max() - age) / HALF_LIFE_YEARS)
    models, beyond_date, beyond_factors = [], [], []
    sizes = [(size, rank) for size in ITEMS for rank in ranks]
    for size, rank in sizes:
        error = scale.sampling_variance(x, size)
        m = fit(z, known, age, rank=rank, penalty=PENALTY, error=error, weight=weight)
        mean, _ = m.scores(z, known, age, error=error)
        trust = m.trust(known, error)
        models.append(m)
        beyond_date.append(mean - age[:, None] * m.drift)
        beyond_factors.append((trust * (z - m.levels - mean @ m.loadings.T), trust))
    who = tuple(makers or [""] * len(age))
    return Newcomers(scale, models, [size for size, _ in sizes], age, who, beyond_date, beyond_factors)


def _cells(scale: Scale, x: Array) -> tuple[Array, Array]:
    z = scale.to_z(x)
    known = (~np.isnan(z)).astype(float)
    return np.where(known > 0, z, 0.0), known
