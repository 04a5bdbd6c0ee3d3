"""What the product would have said on each day: its own fit and its own probability, from what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np

from data.records import Benchmark, Score
from recommender.backtest.world import NEVER, World
from recommender.quality import Fitted, Row, fit_quality, reaches

LEAST_MODELS = 40


class AsOf:
    """The fits of a replay, refitted on the first of each month, with the scores of each day in between."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._benchmarks = {b: Benchmark(benchmark=b, name=b) for b in world.benchmarks}
        self._released: dict[str, str] = {}
        for group, day in sorted(zip(world.groups, world.released, strict=True), key=lambda pair: -pair[1]):
            self._released[group] = date.fromordinal(int(day)).isoformat()  # the first of a model's settings counts
        self._scores = [self._score(n, j) for n, j in np.argwhere(world.known_day != NEVER)]
        self._fits: dict[int, Fitted | None] = {}

    def row(self, n: int) -> Row:
        return self.world.groups[n], f"effort={n}"

    def on(self, day: int) -> Fitted | None:
        """The parameters of the month, the scores of the day; None while too little is known."""
        if day not in self._fits:
            first = date.fromordinal(day).replace(day=1).toordinal()
            month = self._fit(first) if day == first else self.on(first)
            self._fits[day] = month if day == first or month is None else self._fit(day, month)
        return self._fits[day]

    def p_at_least(self, n: int, column: int, points: Sequence[float], day: int) -> list[float] | None:
        """P(a row scores at least so many `points`, each in 0 to 100) as the product says it of a `floor`; None: not known."""
        fitted = self.on(day)
        if fitted is None:
            return None
        return reaches(fitted, self.row(n), {self.world.benchmarks[column]: 1.0}, [p / 100 for p in points])

    def _fit(self, day: int, earlier: Fitted | None = None) -> Fitted | None:
        if (self.world.known_day <= day).any(axis=1).sum() < LEAST_MODELS:
            return None
        return fit_quality(self._scores, self._released, self._benchmarks, as_of=noon(day), earlier=earlier)

    def _score(self, n: int, j: int) -> Score:
        model_id, variant = self.row(int(n))
        return Score(
            model_id=model_id, variant=variant, benchmark=self.world.benchmarks[j], metric="score",
            value=float(self.world.score[n, j]), source_id="replay", claim_id=f"{n}|{j}",
            known_from=noon(int(self.world.known_day[n, j])),
        )  # fmt: skip


def noon(day: int) -> datetime:
    return datetime.combine(date.fromordinal(day), datetime.min.time(), UTC).replace(hour=12)
