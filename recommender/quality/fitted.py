"""Scores of one instant -> a fitted table: which rows and boards it holds, and how exact each measured cell is.

Nothing that became known later enters; an edition that only shares the price is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from data.records import Benchmark, Score
from recommender.quality.estimator import ScoreEstimator
from recommender.quality.table import Array, ages, mean_release

FEW_SCORES = 5  # known of a model: its estimates are as unsure as those of a new release
NEW_YEARS = 1.0  # older models are told better by all models than by the recent ones
LEAST_MODELS = 8  # a board with fewer models says nothing about how it goes with the others
UNSTATED_NOISE_SHARE = 0.5  # of a benchmark's own noise, where the number of items is not known
SELF_REPORT_NOISE = 2.0  # a maker's own figure: twice the noise (median 10.7 points above a common harness, SCIENCE 6)

SETTINGS = ("effort", "thinking")

Row = tuple[str, str]  # model_id, variant


@dataclass(frozen=True)
class Fitted:
    """Scores as known at one instant, fitted. Rows are (model, variant)."""

    estimator: ScoreEstimator
    rows: dict[Row, int]
    columns: dict[str, int]
    table: Array
    age: Array
    noise_sd: Array  # sampling error of each measured cell, standard units
    scores: dict[tuple[Row, str], Score]
    benchmarks: Mapping[str, Benchmark]
    centre: float  # the day, as an ordinal, from which `age` counts

    def variants(self, model_id: str) -> list[str]:
        return sorted(v for m, v in self.rows if m == model_id)

    def is_newcomer(self, row: Row) -> bool:
        """Few scores are known of it, and it was released within a year of the newest."""
        n = self.rows[row]
        return self.few_scores(row) and bool(self.age[n] > self.age.max() - NEW_YEARS)

    def few_scores(self, row: Row) -> bool:
        return int((~np.isnan(self.table[self.rows[row]])).sum()) <= FEW_SCORES

    def measured(self, row: Row, benchmarks: Sequence[str]) -> list[str]:
        return [b for b in benchmarks if (row, b) in self.scores]


def fit_quality(
    scores: Sequence[Score],
    released: Mapping[str, str],
    benchmarks: Mapping[str, Benchmark],
    *,
    as_of: datetime,
    earlier: Fitted | None = None,
) -> Fitted | None:
    """Fit on what was known at `as_of`; None where there is too little to say anything.

    Of several figures for one (model, variant, benchmark) the newest counts, the lower of two as new. `earlier`: keep the
    parameters of that fit and take only the scores of the day, on the benchmarks it knows.
    """
    newest: dict[tuple[Row, str], Score] = {}
    for s in sorted(scores, key=lambda s: (s.evaluated_on or "", -s.value, s.score_id)):
        if (
            s.known_from <= as_of
            and s.benchmark in benchmarks
            and np.isfinite(s.value)
            and not other_edition(s.variant)
        ):
            newest[(s.model_id, run_setting(s.variant)), s.benchmark] = s
    per_board: dict[str, int] = {}
    for _, b in newest:
        per_board[b] = per_board.get(b, 0) + 1
    asked = earlier.columns if earlier else {b for b, n in per_board.items() if n >= LEAST_MODELS}
    newest = {k: s for k, s in newest.items() if k[1] in asked}
    if not newest:
        return None
    rows = {r: n for n, r in enumerate(sorted({row for row, _ in newest}))}
    columns = earlier.columns if earlier else {b: n for n, b in enumerate(sorted(asked))}
    table = np.full((len(rows), len(columns)), np.nan)
    for (row, b), s in newest.items():
        table[rows[row], columns[b]] = s.value
    models = [m for m, _ in rows]
    centre = earlier.centre if earlier else mean_release(models, released)
    age = ages(models, released, centre)
    estimator = earlier.estimator if earlier else _estimator(table, age, models, [benchmarks[b] for b in columns])
    noise = _noise(estimator, newest, rows, columns, benchmarks, table)
    return Fitted(estimator, rows, columns, table, age, noise, newest, benchmarks, centre)


def _estimator(table: Array, age: Array, models: Sequence[str], benchmarks: Sequence[Benchmark]) -> ScoreEstimator:
    percent = np.array([b.scale == "percent" for b in benchmarks])
    estimator = ScoreEstimator(ranks=(2,), folds=4, level=0.8).fit(table, age=age, percent=percent)
    return estimator.calibrate_newcomers(table, age, makers=[maker(m) for m in models])


def maker(model_id: str) -> str:
    """Who made it, by the id; "" where the id does not say."""
    return model_id.rpartition("/")[0]


def other_edition(variant: str) -> bool:
    """A score of an edition that only shares the price (codex, chat): not this model's; previews and betas are."""
    edition = dict(p.split("=", 1) for p in variant.split(";") if "=" in p).get("edition", "")
    return bool(edition) and not any(w in edition for w in ("preview", "beta", "latest"))


def run_setting(variant: str) -> str:
    """The part of a variant that changes what the model does: effort and thinking; the rest is how it was tested."""
    return ";".join(p for p in variant.split(";") if p.partition("=")[0] in SETTINGS)


def _noise(
    estimator: ScoreEstimator,
    newest: Mapping[tuple[Row, str], Score],
    rows: Mapping[Row, int],
    columns: Mapping[str, int],
    benchmarks: Mapping[str, Benchmark],
    table: Array,
) -> Array:
    """Sampling error of measured cells in standard units: 1/sqrt(N p (1-p)) on the logit scale where N is known."""
    scale = estimator.scale_
    board = np.broadcast_to(UNSTATED_NOISE_SHARE * np.sqrt(estimator.factors_[0].noise), table.shape)
    items, own = np.full(table.shape, np.nan), np.zeros(table.shape, dtype=bool)
    for (row, b), s in newest.items():
        at = rows[row], columns[b]
        items[at], own[at] = s.n_items or benchmarks[b].n_items or np.nan, s.self_reported
    stated = np.isfinite(items) & scale.percent
    noise = np.where(stated, np.sqrt(scale.sampling_variance(table, np.where(stated, items, 1.0))), board)
    noise = np.where(own, np.maximum(noise, board) * SELF_REPORT_NOISE, noise)
    return np.where(np.isnan(table), 0.0, noise)
