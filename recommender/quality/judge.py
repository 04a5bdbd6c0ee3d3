"""How good a model is at a use case's tasks, and how probably good enough against the model in use.

Both models' errors are taken jointly, by the same fixed draws (SCIENCE.md 4.1); the team's own results are weighed against
public ones by their size. A model without scores gets no quality and no probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from data.records import EvalResult, Grade, Quality
from recommender.quality.draws import DRAWS, draw_scores, goodness, unit, win_share
from recommender.quality.fitted import Fitted, Row
from recommender.quality.own import GAIN, Judgement, with_own
from recommender.quality.table import Array

LEAST_BENCHMARKS = 2  # measured, of the task, from two sources: else there is no grade (PRODUCT 3.3)
INDEPENDENT_FOR_C = 3


def judge(
    fitted: Fitted | None,
    wanted: Sequence[Row],
    incumbent: Row | None,
    weights: Mapping[str, float],
    *,
    max_drop: float,
    floor: float | None = None,
    own: Mapping[str, EvalResult] | None = None,
) -> dict[Row, Judgement]:
    """Quality (share 0 to 1, 80 %) and probability of being good enough for every row of which anything is known.

    `weights` of benchmarks, positive; those the fit does not know are left out and the rest counts in full. `own`:
    evaluation results of the team by model, which need no public score beside them. A probability takes two boards of
    the task from two sources on both sides, or own results on both.
    """
    public = _public(fitted, wanted, incumbent, weights, max_drop, floor) if fitted is not None else {}
    rows = dict.fromkeys((*wanted, incumbent) if incumbent is not None else wanted)
    every = {r: with_own(public.get(r), r, incumbent, own or {}, max_drop=max_drop, floor=floor) for r in rows}
    return {row: found for row, found in every.items() if found is not None}


def _public(
    fitted: Fitted,
    wanted: Sequence[Row],
    incumbent: Row | None,
    weights: Mapping[str, float],
    max_drop: float,
    floor: float | None,
) -> dict[Row, Judgement]:
    """What the boards say of the rows they hold; both models' errors taken jointly."""
    names = [b for b in weights if b in fitted.columns]
    asked = [r for r in wanted if r in fitted.rows]
    if not names or not asked:
        return {}
    share = _shares(fitted, names, weights)
    known_now = [incumbent] if incumbent is not None and incumbent in fitted.rows else []
    every = [*dict.fromkeys(r for r in asked if r != incumbent), *known_now]  # the model in use stands last
    draws = draw_scores(fitted, every, names)  # (rows, draws, benchmarks), points
    total = goodness(fitted, names, draws) @ share
    base = len(every) - 1 if known_now else None
    now_grade = _grade(fitted, every[base], names) if base is not None else None
    out = {}
    for n, row in enumerate(every):
        quality = _quality(fitted, row, names, total[n])
        if base is None or quality.grade is None:
            out[row] = Judgement(quality, None)
            continue
        quality = quality.model_copy(update={"grade": _weaker(quality.grade, now_grade)})
        if now_grade is None or n == base:
            out[row] = Judgement(quality, None if now_grade is None else 1.0)
            continue
        ok, gain = (_p_ok(fitted, names, share, draws, n, base, drop, floor) for drop in (max_drop, -GAIN))
        out[row] = Judgement(quality, ok, gain)
    return out


def reaches(fitted: Fitted, row: Row, weights: Mapping[str, float], floors: Sequence[float]) -> list[float] | None:
    """Probability that a row is over each floor (a share), as `judge` has it, whatever the evidence; None: no scores."""
    names = [b for b in weights if b in fitted.columns]
    if not names or row not in fitted.rows:
        return None
    draws, share = draw_scores(fitted, [row, row], names), _shares(fitted, names, weights)
    return [_p_ok(fitted, names, share, draws, 0, 1, 1.0, floor) for floor in floors]  # any loss against itself is fine


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
            loss -= share[k] * (win_share(lead, unit(fitted, b)) - 0.5)
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


def _quality(fitted: Fitted, row: Row, names: Sequence[str], total: Array) -> Quality:
    measured = fitted.measured(row, names)
    low, mean, high = (float(np.quantile(total, q)) for q in (0.1, 0.5, 0.9))
    return Quality(
        mean=mean,
        low=low,
        high=high,
        grade=_grade(fitted, row, names),
        measured=len(measured) == len(names),
        benchmarks=tuple(measured),
        score_ids=tuple(fitted.scores[row, b].score_id for b in measured),
        notes=(f"{len(measured)} of {len(names)} benchmarks of this task measured",),
    )


def _weaker(mine: Grade, now: Grade | None) -> Grade:
    """A comparison is as good as the weaker of its two sides."""
    return max(mine, now or "D")
