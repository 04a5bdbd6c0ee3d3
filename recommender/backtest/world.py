"""What a replay is made of: scores and prices, each with the day from which it was known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Days = NDArray[np.int64]
TAU_POINTS = 2.0
CHEAPER_SHARE = 0.7  # a candidate is cheaper at 0.7 of the price in use or less (SCIENCE 1)
NEVER = 10**7


@dataclass(frozen=True)
class World:
    """N rows (a model under one setting), J benchmarks in percent, T days from `first_day` on. Days are proleptic ordinals.

    `groups`: the model of each row; rows of one model share its errors and its price.
    """

    rows: tuple[str, ...]
    groups: tuple[str, ...]
    benchmarks: tuple[str, ...]
    released: Days  # (N,)
    score: Array  # (N, J) points, NaN unknown
    known_day: Days  # (N, J) day the score became known, NEVER where there is none
    usd_per_mtok: Array  # (N, T) input and output 3:1, NaN while no price is known
    first_day: int

    def price(self, day: int) -> Array:
        """(N,) USD per million tokens as known on a day."""
        return self.usd_per_mtok[:, day - self.first_day]

    @property
    def last_day(self) -> int:
        return self.first_day + int(self.usd_per_mtok.shape[1]) - 1

    def seen(self, day: int) -> Array:
        """(N, J) the scores known on a day."""
        return np.where(self.known_day <= day, self.score, np.nan)


def bootstrap(sums: Array, draws: int = 2000) -> Array:
    """(draws, K) totals of (G, K) sums of G groups drawn with replacement, from a fixed seed."""
    groups = len(sums)
    picks = np.random.default_rng(0).multinomial(groups, np.full(groups, 1 / groups), size=draws)
    return np.asarray(picks @ sums)


def interval(values: Array) -> tuple[float, float] | None:
    """The middle 95 % of draws; None where no draw says anything."""
    finite = values[np.isfinite(values)]
    return (float(np.quantile(finite, 0.025)), float(np.quantile(finite, 0.975))) if len(finite) else None
