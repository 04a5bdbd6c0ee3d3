"""The estimator: a table of scores with holes in, every cell out, with an interval that keeps its promise.

A mean of factor models of several ranks (they err differently), calibrated by split conformal prediction on cells
hidden from the fit: each hidden once, so that what calibrates is as sparse as what is asked (SCIENCE.md 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from data.errors import DataMissing, UsageError
from recommender.quality.factor import Factors, fit
from recommender.quality.newcomers import Newcomers, fit_newcomers
from recommender.quality.table import Array, Scale, ages, is_percent, scale_of

RANKS = (1, 2, 3, 4, 5)  # chosen on as-of dates before those that are reported (bench_quality)
FOLDS = 8
NEWCOMER_YEARS = 120 / 365
NEWCOMER_DRAWS = 10
LEAST_BEFORE = 5  # models a benchmark must have before a newcomer is judged by it
LEAST_RESIDUALS = 30


@dataclass(frozen=True)
class Estimate:
    """In points of the benchmark."""

    value: float
    low: float
    high: float


class ScoreEstimator(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fills a table of scores (models x benchmarks, NaN unknown).

    Parameters: `ranks` of the factor models averaged, `folds` of the calibration, `level` of the interval.
    Attributes after `fit`: `factors_`, `scale_`, `residuals_` (calibration |z - m| / s, sorted), `quantile_`,
    after `calibrate_newcomers` also `newcomers_` and `newcomer_quantile_`.
    """

    def __init__(self, ranks: tuple[int, ...] = RANKS, folds: int = FOLDS, level: float = 0.9) -> None:
        self.ranks = ranks
        self.folds = folds
        self.level = level

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(
        self,
        X: Array,
        y: object = None,
        *,
        age: Array | None = None,
        percent: NDArray[np.bool_] | None = None,
    ) -> ScoreEstimator:
        """`age`: release in years from the mean, `percent`: which columns are percentages (guessed from the range)."""
        X = validate_data(self, X, ensure_all_finite="allow-nan", dtype=np.float64)
        age = np.zeros(len(X)) if age is None else age
        percent = is_percent(X, [None] * X.shape[1]) if percent is None else percent
        self.scale_: Scale = scale_of(X, percent)
        z = self.scale_.to_z(X)
        known = (~np.isnan(z)).astype(float)
        self.factors_: list[Factors] = [fit(z, known, age, rank=r) for r in self.ranks]
        self.residuals_ = self._residuals(z, known, age)
        self.quantile_ = quantile_of(self.residuals_, self.level)
        return self

    def calibrate_newcomers(
        self, X: Array, age: Array, *, makers: Sequence[str] | None = None, shown: int = 3
    ) -> ScoreEstimator:
        """Set `newcomers_` and `newcomer_quantile_`: estimates of models of which only `shown` scores are known.

        `X` and `age` are those of `fit`, `makers` who made each ("" unknown). Learn from all but the newest 120 days, show
        a few scores of each newer model, hide the rest (SCIENCE.md 3.2, as-of calibration): what a new release does to
        the estimator is not what holes do.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
        makers = [""] * len(X) if makers is None else list(makers)
        self.newcomers_: Newcomers = fit_newcomers(self.scale_, X, age, self.ranks, makers)
        found = self._newcomer_residuals(X, age, makers, shown)
        self.newcomer_quantile_ = quantile_of(found, self.level) if len(found) >= LEAST_RESIDUALS else self.quantile_
        return self

    def _newcomer_residuals(self, X: Array, age: Array, makers: list[str], shown: int) -> Array:
        """|z - m| / s of the hidden cells of the newest 120 days, sorted; none where nothing could be hidden."""
        known = ~np.isnan(X)
        late = age > age.max() - NEWCOMER_YEARS
        columns = known[~late].sum(axis=0) >= LEAST_BEFORE
        asked = np.flatnonzero(late & (known[:, columns].sum(axis=1) > shown))
        if len(asked) == 0 or not columns.any():
            return np.array([])
        centre = age[~late].mean()
        scale, early = self.scale_.of(columns), [m for m, new in zip(makers, late, strict=True) if not new]
        before = fit_newcomers(scale, X[~late][:, columns], age[~late] - centre, self.ranks, early)
        points, who = X[asked][:, columns], [makers[n] for n in asked]
        rng = np.random.default_rng(1)
        residuals = []
        for _ in range(NEWCOMER_DRAWS):
            seen = np.full_like(points, np.nan)
            for n, line in enumerate(points):
                at = rng.choice(np.flatnonzero(~np.isnan(line)), shown, replace=False)
                seen[n, at] = line[at]
            mean, spread = before.predict(seen, age[asked] - centre, who)
            hidden = ~np.isnan(points) & np.isnan(seen)
            residuals.append((np.abs(scale.to_z(points) - mean) / spread)[hidden])
        return np.sort(np.concatenate(residuals))

    def predict_z(
        self, X: Array, age: Array | None = None, *, newcomers: bool = False, makers: Sequence[str] | None = None
    ) -> tuple[Array, Array]:
        """Mean and standard deviation of every cell in standard units, known cells included as if asked.

        `newcomers`: rows of which few scores are known, as `calibrate_newcomers` left it; `makers` who made each.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
        age = np.zeros(len(X)) if age is None else age
        if newcomers:
            check_is_fitted(self, "newcomers_")
            return self.newcomers_.predict(X, age, makers)
        z = self.scale_.to_z(X)
        known = (~np.isnan(z)).astype(float)
        return _blend(self.factors_, np.where(known > 0, z, 0.0), known, age)

    def transform(self, X: Array, age: Array | None = None) -> Array:
        """The table with its holes filled; known cells stay as they are."""
        mean, _ = self.predict_z(X, age)
        table = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
        return np.where(np.isnan(table), self.scale_.to_points(mean), table)

    def interval(
        self, X: Array, age: Array | None = None, *, newcomers: bool = False, makers: Sequence[str] | None = None
    ) -> tuple[Array, Array, Array]:
        """Estimate, low and high of every cell in points, at `level`; `newcomers` and `makers` as in `predict_z`."""
        mean, spread = self.predict_z(X, age, newcomers=newcomers, makers=makers)
        reach = (self.newcomer_quantile_ if newcomers else self.quantile_) * spread
        ends = (self.scale_.to_points(mean + sign * reach) for sign in (0, -1, 1))
        value, low, high = ends
        return value, low, high

    def _residuals(self, z: Array, known: Array, age: Array) -> Array:
        """|z - m| / s of cells hidden from the fit, every known cell once, sorted."""
        rows, columns = np.nonzero(known)
        if len(rows) < 2 * self.folds:
            return np.array([])
        order = np.random.default_rng(1).permutation(len(rows))
        out = []
        for fold in range(self.folds):
            hidden = order[fold :: self.folds]
            seen = known.copy()
            seen[rows[hidden], columns[hidden]] = 0.0
            shown = np.where(seen > 0, z, 0.0)
            models = [fit(shown, seen, age, rank=r) for r in self.ranks]
            mean, spread = _blend(models, shown, seen, age)
            at = (rows[hidden], columns[hidden])
            out.append(np.abs(z[at] - mean[at]) / spread[at])
        return np.sort(np.concatenate(out))


def quantile_of(residuals: Array, level: float) -> float:
    """The ceil((n + 1) level)-th smallest residual; a normal's quantile where nothing could be hidden."""
    if len(residuals) == 0:
        return {0.8: 1.2816, 0.9: 1.6449, 0.95: 1.96}.get(level, 1.6449)
    return float(residuals[min(len(residuals), ceil((len(residuals) + 1) * level)) - 1])


def estimate_cells(
    known: Sequence[Mapping[str, str]], wanted: Sequence[tuple[str, str]], *, level: float = 0.9
) -> list[Estimate]:
    """Estimates of cells (model, benchmark) from rows model, benchmark, score, scale (percent or raw), released.

    Raises DataMissing on a table with too few scores to calibrate an interval, UsageError on a score that is no finite number.
    """
    if not wanted:
        return []
    if not known:
        raise DataMissing("no known scores, so nothing can be estimated", fix="give a table with at least one score")
    for r in known:
        _finite(r)
    models = sorted({r["model"] for r in known} | {m for m, _ in wanted})
    benchmarks = sorted({r["benchmark"] for r in known} | {b for _, b in wanted})
    row, column = {m: n for n, m in enumerate(models)}, {b: n for n, b in enumerate(benchmarks)}
    table = np.full((len(models), len(benchmarks)), np.nan)
    declared: dict[str, str] = {}
    released: dict[str, str] = {}
    for r in known:
        table[row[r["model"]], column[r["benchmark"]]] = float(r["score"])
        declared[r["benchmark"]] = r.get("scale", "")
        if r.get("released"):
            released[r["model"]] = r["released"]
    age = ages(models, released)
    estimator = ScoreEstimator(level=level)
    estimator.fit(table, age=age, percent=is_percent(table, [declared.get(b) for b in benchmarks]))
    if len(estimator.residuals_) == 0:
        fix = f"give at least {2 * estimator.folds} known scores; an interval cannot be calibrated on fewer"
        raise DataMissing(f"{len(known)} known scores", where="estimate", fix=fix)
    value, low, high = estimator.interval(table, age)
    cells = [(row[m], column[b]) for m, b in wanted]
    return [Estimate(float(value[c]), float(low[c]), float(high[c])) for c in cells]


def _finite(row: Mapping[str, str]) -> None:
    try:
        fine = isfinite(float(row["score"]))
    except ValueError:
        fine = False
    if not fine:
        where = f"{row['model']} on {row['benchmark']}"
        raise UsageError(f"{row['score']!r} is no score", where=where, fix="leave the row out where nothing is known")


def _blend(models: Sequence[Factors], z: Array, known: Array, age: Array) -> tuple[Array, Array]:
    """Mean of the models; their mean variance plus the variance between them."""
    means, variances = zip(*(m.predict(z, known, age) for m in models), strict=True)
    mean = np.mean(means, axis=0)
    return mean, np.sqrt(np.mean(variances, axis=0) + np.var(means, axis=0))
