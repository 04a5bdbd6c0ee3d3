"""Scores on the scale they are estimated on: logit for percentages, as they are otherwise, standardised per benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CLIP = 0.005
PRIOR_CELLS = 3.0  # a column with few models borrows the common spread as if by 3 cells


@dataclass(frozen=True)
class Scale:
    """Per benchmark: whether it is a percentage, mean and spread on the estimating scale."""

    percent: NDArray[np.bool_]
    mean: Array
    spread: Array

    def to_z(self, y: Array) -> Array:
        """Points -> standard units; NaN stays NaN."""
        share = np.clip(y / 100, CLIP, 1 - CLIP)
        return np.asarray((np.where(self.percent, np.log(share / (1 - share)), y) - self.mean) / self.spread)

    def to_points(self, z: Array) -> Array:
        """Standard units -> points; percentages stay within 0 and 100."""
        x = z * self.spread + self.mean
        return np.where(self.percent, 100 / (1 + np.exp(-np.clip(x, -30, 30))), x)

    def of(self, columns: NDArray[np.bool_] | NDArray[np.int64] | Sequence[int]) -> Scale:
        """The same scale for some of the benchmarks."""
        return Scale(self.percent[columns], self.mean[columns], self.spread[columns])

    def sampling_variance(self, y: Array, items: Array | float) -> Array:
        """Sampling variance of shares over so many items, in standard units; 0 off the percent scale and where unknown.

        1 / (N p (1-p)) on the logit scale (SCIENCE.md 4.1).
        """
        share = np.clip(y / 100, CLIP, 1 - CLIP)
        variance = np.where(self.percent, 1 / (items * share * (1 - share)), 0.0) / self.spread**2
        return np.where(np.isnan(y), 0.0, variance)


def scale_of(y: Array, percent: NDArray[np.bool_]) -> Scale:
    """The scale of a table with NaN for unknown cells (SCIENCE 3.2, steps 1 to 6)."""
    share = np.clip(y / 100, CLIP, 1 - CLIP)
    x = np.where(percent, np.log(share / (1 - share)), y)
    known = ~np.isnan(x)
    n = known.sum(axis=0)
    mean = np.where(n > 0, np.nansum(x, axis=0) / np.maximum(n, 1), 0.0)
    squares = np.nansum((x - mean) ** 2, axis=0)
    common = np.sqrt(squares[percent].sum() / max(1, int((n[percent] - 1).clip(0).sum()))) if percent.any() else 1.0
    own = np.sqrt(squares / np.maximum(n - 1, 1))
    prior = np.where(percent, common or 1.0, own)
    spread = np.sqrt((squares + PRIOR_CELLS * prior**2) / np.maximum(n - 1 + PRIOR_CELLS, 1))
    return Scale(percent, mean, np.where(spread > 1e-9, spread, 1.0))


def is_percent(y: Array, declared: Sequence[str | None]) -> NDArray[np.bool_]:
    """Declared so, or all known values within 0 and 100."""
    with np.errstate(invalid="ignore"):
        inside = np.all(np.isnan(y) | ((y >= 0) & (y <= 100)), axis=0)
    return np.array(
        [d == "percent" if d in ("percent", "raw") else bool(i) for d, i in zip(declared, inside, strict=True)]
    )


def ages(models: Sequence[str], released: Mapping[str, str], centre: float | None = None) -> Array:
    """Release in years from `centre` (mean release of these models); a model without a day counts as released there."""
    days = np.array([_ordinal(released.get(m)) for m in models])
    centre = mean_release(models, released) if centre is None else centre
    return np.where(np.isfinite(days), (days - centre) / 365, 0.0)


def mean_release(models: Sequence[str], released: Mapping[str, str]) -> float:
    """Mean release as a day ordinal; 0 where no day is known."""
    days = np.array([_ordinal(released.get(m)) for m in models])
    return float(np.nanmean(days)) if np.isfinite(days).any() else 0.0


def _ordinal(text: str | None) -> float:
    """The middle of the day, month or year an ISO text names; NaN for none."""
    parts = (text or "").split("-")
    try:
        numbers = [int(p) for p in parts]
        if len(numbers) == 1:
            return date(numbers[0], 7, 1).toordinal()
        return date(numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 15).toordinal()
    except ValueError:
        return float("nan")
