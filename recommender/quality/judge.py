"""How good a model is at a use case's tasks, and how probably good enough against the model in use.

Measured cells enter with their value and sampling error, missing ones with the estimate; the missing cells of one model
share its factor error; both models' errors are taken jointly, by the same fixed draws (SCIENCE.md 4.1). A model without
scores gets no quality and no probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import erf, sqrt

import numpy as np

from data.records import Benchmark, EvalResult, Grade, Quality, Score
from recommender.quality.estimator import ScoreEstimator, quantile_of
from recommender.quality.table import Array, Scale, ages

DRAWS = 1000
GAIN = 0.02  # a gain in quality that is worth telling (PRODUCT 4.1)
FEW_SCORES = 5  # known of a model: its estimates are as unsure as those of a new release
LEAST_MODELS = 8  # a board with fewer models says nothing about how it goes with the others
LEAST_BENCHMARKS = 2  # measured, of the task, from two sources: else there is no grade (PRODUCT 3.3)
INDEPENDENT_FOR_C = 3
CASES_FOR_A = 200
PUBLIC_WORTH_CASES = 100  # own results outrank public ones in proportion to their size
UNSTATED_NOISE_SHARE = 0.5  # of a benchmark's own noise, where the number of items is not known
SELF_REPORT_NOISE = 2.0  # a maker's own figure: twice the noise (median 10.7 points above a common harness, SCIENCE 6)

SETTINGS = ("effort", "thinking")

Row = tuple[str, str]  # model_id, variant


@dataclass(frozen=True)
class Judgement:
    quality: Quality
    p_ok: float | None
    p_gain: float | None = None  # that it is better by GAIN or more, and over the floor


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

    def variants(self, model_id: str) -> list[str]:
        return sorted(v for m, v in self.rows if m == model_id)

    def known_scores(self, row: int) -> int:
        return int((~np.isnan(self.table[row])).sum())

    def measured(self, row: Row, benchmarks: Sequence[str]) -> list[str]:
        return [b for b in benchmarks if (row, b) in self.scores]


def fit_quality(
    scores: Sequence[Score], released: Mapping[str, str], benchmarks: Mapping[str, Benchmark], *, as_of: datetime
) -> Fitted | None:
    """Fit on what was known at `as_of`; None where there is too little to say anything.

    Of several figures for one (model, variant, benchmark) the newest counts, the lower of two as new.
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
    newest = {k: s for k, s in newest.items() if per_board[k[1]] >= LEAST_MODELS}
    if not newest:
        return None
    rows = {r: n for n, r in enumerate(sorted({row for row, _ in newest}))}
    columns = {b: n for n, b in enumerate(sorted({b for _, b in newest}))}
    table = np.full((len(rows), len(columns)), np.nan)
    for (row, b), s in newest.items():
        table[rows[row], columns[b]] = s.value
    percent = np.array([benchmarks[b].scale == "percent" for b in columns])
    age = ages([m for m, _ in rows], released)
    estimator = ScoreEstimator(ranks=(2,), folds=4, level=0.8).fit(table, age=age, percent=percent)
    estimator.calibrate_newcomers(table, age)
    noise = _noise(estimator, newest, rows, columns, benchmarks, table)
    return Fitted(estimator, rows, columns, table, age, noise, newest, benchmarks)


def other_edition(variant: str) -> bool:
    """A score of an edition that only shares the price (codex, chat): not this model's; previews and betas are."""
    edition = dict(p.split("=", 1) for p in variant.split(";") if "=" in p).get("edition", "")
    return bool(edition) and not any(w in edition for w in ("preview", "beta", "latest"))


def run_setting(variant: str) -> str:
    """The part of a variant that changes what the model does: effort and thinking; the rest is how it was tested."""
    return ";".join(p for p in variant.split(";") if p.partition("=")[0] in SETTINGS)


def judge(
    fitted: Fitted,
    wanted: Sequence[Row],
    incumbent: Row | None,
    weights: Mapping[str, float],
    *,
    max_drop: float,
    floor: float | None = None,
    own: Mapping[str, EvalResult] | None = None,
) -> dict[Row, Judgement]:
    """Quality (share 0 to 1, 80 %) and probability of being good enough for every row that has scores.

    `weights` of benchmarks, positive; those the fit does not know are left out and the rest counts in full. `own`:
    evaluation results of the team by model. No incumbent with scores, no probability.
    """
    names = [b for b in weights if b in fitted.columns]
    asked = [r for r in wanted if r in fitted.rows]
    if not names or not asked:
        return {}
    share = _shares(fitted, names, weights)
    known_now = [incumbent] if incumbent is not None and incumbent in fitted.rows else []
    every = [*dict.fromkeys(r for r in asked if r != incumbent), *known_now]  # the model in use stands last
    draws = _draws(fitted, every, names)  # (rows, draws, benchmarks), points
    good = _goodness(fitted, names, draws)
    total = good @ share
    base = len(every) - 1 if known_now else None
    now_grade = _quality(fitted, every[base], names, total[base], own or {}).grade if base is not None else None
    out = {}
    for n, row in enumerate(every):
        quality = _quality(fitted, row, names, total[n], own or {})
        p = None
        if base is not None and quality.grade is not None and incumbent is not None:
            enough_now = row == incumbent or now_grade is not None
            p = _p_ok(fitted, names, share, draws, n, base, max_drop, floor) if enough_now else None
            quality = quality.model_copy(update={"grade": _weaker(quality.grade, now_grade)})
        p = _with_own(p, row, incumbent, own or {}, max_drop, floor)
        gain = None
        if p is not None and base is not None and row != incumbent:
            gain = _p_ok(fitted, names, share, draws, n, base, -GAIN, floor)
            gain = _with_own(gain, row, incumbent, own or {}, -GAIN, floor)
        out[row] = Judgement(quality, 1.0 if row == incumbent and p is not None else p, gain)
    return out


def _shares(fitted: Fitted, names: Sequence[str], weights: Mapping[str, float]) -> Array:
    """Weights that sum to 1; boards of one cluster say the same thing, and count together as much as the heaviest of them."""
    by_cluster: dict[str, list[str]] = {}
    for b in names:
        by_cluster.setdefault(fitted.benchmarks[b].cluster or b, []).append(b)
    cut = {
        b: max(weights[x] for x in boards) / sum(weights[x] for x in boards)
        for boards in by_cluster.values()
        for b in boards
    }
    told = np.array([weights[b] * cut[b] for b in names])
    return np.asarray(told / told.sum())


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
    board = UNSTATED_NOISE_SHARE * np.sqrt(estimator.factors_[0].noise)
    noise = np.where(np.isnan(table), 0.0, board)
    for (row, b), s in newest.items():
        i, j = rows[row], columns[b]
        items = s.n_items or benchmarks[b].n_items
        if items and scale.percent[j]:
            p = min(max(s.value / 100, 0.005), 0.995)
            noise[i, j] = 1 / sqrt(items * p * (1 - p)) / scale.spread[j]
        if s.self_reported:
            noise[i, j] = max(noise[i, j], board[j]) * SELF_REPORT_NOISE
    return np.asarray(noise)


def _draws(fitted: Fitted, rows: Sequence[Row], names: Sequence[str]) -> Array:
    """Fixed draws of the scores of rows on benchmarks, in points. Missing cells of a row share its factor error."""
    at = [fitted.rows[r] for r in rows]
    cols = [fitted.columns[b] for b in names]
    z = fitted.estimator.scale_.to_z(fitted.table)[at]
    known = (~np.isnan(z)).astype(float)
    model = fitted.estimator.factors_[0]
    mean_f, covariance = model.scores(np.where(known > 0, z, 0.0), known, fitted.age[at])
    root = np.linalg.cholesky(covariance)
    usual = quantile_of(fitted.estimator.residuals_, 0.8) / 1.2816  # what calibration found against a normal
    newcomer = max(usual, fitted.estimator.newcomer_quantile_ / 1.2816)
    rng = np.random.default_rng(2)
    factor_draws = [rng.standard_normal((DRAWS, mean_f.shape[1])) for _ in range(2)]
    whole = fitted.estimator.scale_
    scale = Scale(whole.percent[cols], whole.mean[cols], whole.spread[cols])
    loadings, sd = model.loadings[cols], np.sqrt(model.noise[cols])
    out = np.empty((len(rows), DRAWS, len(names)))
    cell_draws = [rng.standard_normal((DRAWS, len(names))) for _ in range(2)]
    for n in range(len(rows)):
        own = int(n == len(rows) - 1)  # the last row is the model in use: errors of its own, independent of the others'
        stretch = newcomer if fitted.known_scores(at[n]) <= FEW_SCORES else usual
        cells, error = cell_draws[own], factor_draws[own] @ root[n].T
        estimate = model.levels[cols] + (mean_f[n] + stretch * error) @ loadings.T + stretch * cells * sd
        measured = z[n, cols] + cells * fitted.noise_sd[at[n], cols]
        drawn = np.where(known[n, cols] > 0, measured, estimate)
        out[n] = scale.to_points(drawn)
    return out


def _goodness(fitted: Fitted, names: Sequence[str], draws: Array) -> Array:
    """Points -> share of good, higher is better: percent as it is, other scales against the board's mean model."""
    out = np.empty_like(draws)
    for k, b in enumerate(names):
        j, facts = fitted.columns[b], fitted.benchmarks[b]
        if facts.scale == "percent":
            share = draws[..., k] / 100
            out[..., k] = share if facts.higher_is_better else 1 - share
        else:
            d = (draws[..., k] - fitted.estimator.scale_.mean[j]) * (1 if facts.higher_is_better else -1)
            out[..., k] = _win_share(
                d, 400.0 if facts.scale == "elo" else 2.4 * float(fitted.estimator.scale_.spread[j])
            )
    return out


def _unit(fitted: Fitted, benchmark: str) -> float:
    """The lead that makes odds of 10 to 1 on a board that is no percentage."""
    spread = fitted.estimator.scale_.spread[fitted.columns[benchmark]]
    return 400.0 if fitted.benchmarks[benchmark].scale == "elo" else 2.4 * float(spread)


def _win_share(d: Array, unit: float) -> Array:
    """Win share of a lead `d`, where a lead of `unit` makes odds of 10 to 1."""
    return np.asarray(1 / (1 + 10 ** (-d / unit)))


def _p_ok(
    fitted: Fitted,
    names: Sequence[str],
    share: Array,
    draws: Array,
    n: int,
    base: int,
    max_drop: float,
    floor: float | None,
) -> float:
    if n == base:
        return 1.0
    loss = np.zeros(DRAWS)
    held = np.zeros(DRAWS)
    percent_weight = 0.0
    for k, b in enumerate(names):
        facts = fitted.benchmarks[b]
        sign = 1 if facts.higher_is_better else -1
        lead = sign * (draws[n, :, k] - draws[base, :, k])
        if facts.scale == "percent":
            loss -= share[k] * lead / 100
            held += share[k] * (draws[n, :, k] / 100 if sign > 0 else 1 - draws[n, :, k] / 100)
            percent_weight += share[k]
        else:
            loss -= share[k] * (_win_share(lead, _unit(fitted, b)) - 0.5)
    fine = loss <= max_drop
    if floor is not None and percent_weight > 0:
        fine &= held / percent_weight >= floor
    return float(fine.mean())


def _grade(fitted: Fitted, row: Row, names: Sequence[str]) -> Grade | None:
    """C: three independent measured boards, none the maker's own; D: fewer; None: under two boards from two sources."""
    scores = [fitted.scores[row, b] for b in fitted.measured(row, names)]
    if len(scores) < LEAST_BENCHMARKS or len({s.source_id for s in scores}) < LEAST_BENCHMARKS:
        return None
    independent = {fitted.benchmarks[s.benchmark].cluster or s.benchmark for s in scores if not s.self_reported}
    return "C" if len(independent) >= INDEPENDENT_FOR_C else "D"


def _quality(fitted: Fitted, row: Row, names: Sequence[str], total: Array, own: Mapping[str, EvalResult]) -> Quality:
    measured = fitted.measured(row, names)
    grade: Grade | None = _grade(fitted, row, names)
    low, mean, high = (float(np.quantile(total, q)) for q in (0.1, 0.5, 0.9))
    notes = [f"{len(measured)} of {len(names)} benchmarks of this task measured"]
    if own_result := own.get(row[0]):
        error = 1.2816 * sqrt(max(own_result.score * (1 - own_result.score), 1e-9) / own_result.n)
        mean, low, high = own_result.score, max(0.0, own_result.score - error), min(1.0, own_result.score + error)
        grade = "A" if own_result.n >= CASES_FOR_A else "B"
        notes.append(f"your own evaluation: {own_result.score:.3f} on {own_result.n} cases")
    return Quality(
        mean=mean,
        low=low,
        high=high,
        grade=grade,
        measured=len(measured) == len(names) or own_result is not None,
        benchmarks=tuple(measured),
        score_ids=tuple(fitted.scores[row, b].score_id for b in measured),
        notes=tuple(notes),
    )


def _with_own(
    public: float | None,
    row: Row,
    incumbent: Row | None,
    own: Mapping[str, EvalResult],
    max_drop: float,
    floor: float | None,
) -> float | None:
    """The team's own results on both models, weighed against public ones by their size."""
    mine, now = own.get(row[0]), own.get(incumbent[0]) if incumbent else None
    if mine is None or now is None:
        return public
    variance = sum(max(e.score * (1 - e.score), 1 / (e.n + 2)) / e.n for e in (mine, now))
    p = _above((mine.score - now.score + max_drop) / sqrt(variance))
    if floor is not None:
        p = min(p, _above((mine.score - floor) / sqrt(max(mine.score * (1 - mine.score), 1 / (mine.n + 2)) / mine.n)))
    if public is None:
        return p
    weight = mine.n / (mine.n + PUBLIC_WORTH_CASES)
    return weight * p + (1 - weight) * public


def _weaker(mine: Grade, now: Grade | None) -> Grade:
    """A comparison is as good as the weaker of its two sides."""
    return max(mine, now or "D")


def _above(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))
