"""A team's own evaluation results: what they say of a model beside the one in use, weighed against public boards by size.

Own results of one side alone compare nothing: they are told, and the public boards decide as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf, sqrt

from data.records import EvalResult, Grade, Quality
from recommender.quality.fitted import Row

GAIN = 0.02  # a gain in quality that is worth telling (PRODUCT 4.1)
CASES_FOR_A = 200
PUBLIC_WORTH_CASES = 100  # own results outrank public ones in proportion to their size
NORMAL_80 = 1.2816


@dataclass(frozen=True)
class Judgement:
    quality: Quality
    p_ok: float | None
    p_gain: float | None = None  # that it is better by GAIN or more, and over the floor


def with_own(
    public: Judgement | None,
    row: Row,
    incumbent: Row | None,
    own: Mapping[str, EvalResult],
    *,
    max_drop: float,
    floor: float | None,
) -> Judgement | None:
    """The public judgement of a row with what the team measured itself; None where neither says anything."""
    mine, now = own.get(row[0]), own.get(incumbent[0]) if incumbent else None
    if mine is None:
        return public
    if row == incumbent and public is not None and len(own) == 1:
        note = (
            f"your own evaluation: {mine.score:.3f} on {mine.n} cases; without one of a candidate it compares nothing"
        )
        quality = public.quality.model_copy(update={"notes": (*public.quality.notes, note)})
        return Judgement(quality, public.p_ok, public.p_gain)
    told = f"your own evaluation: {mine.score:.3f} on {mine.n} cases"
    if incumbent is None:
        return Judgement(_quality(public, mine, told, _grade(mine)), None)
    if now is None:
        told += "; without one of the model in use it compares nothing"
        if public is None:
            return Judgement(_quality(None, mine, told, None), None)
        notes = (*public.quality.notes, told)
        return Judgement(public.quality.model_copy(update={"notes": notes}), public.p_ok, public.p_gain)
    quality = _quality(public, mine, told, _grade(mine, now))
    if row == incumbent:
        return Judgement(quality, 1.0)
    return Judgement(
        quality,
        _weighed(public.p_ok if public else None, mine, now, max_drop, floor),
        _weighed(public.p_gain if public else None, mine, now, -GAIN, floor),
    )


def _weighed(public: float | None, mine: EvalResult, now: EvalResult, max_drop: float, floor: float | None) -> float:
    """Both sides' sampling errors taken together; a comparison is as large as the smaller of its two sides."""
    p = _above((mine.score - now.score + max_drop) / sqrt(_variance(mine) + _variance(now)))
    if floor is not None:
        p = min(p, _above((mine.score - floor) / sqrt(_variance(mine))))
    cases = min(mine.n, now.n)
    weight = 1.0 if public is None else cases / (cases + PUBLIC_WORTH_CASES)
    return weight * p + (1 - weight) * (public or 0.0)


def _quality(public: Judgement | None, mine: EvalResult, told: str, grade: Grade | None) -> Quality:
    error = NORMAL_80 * sqrt(_variance(mine))
    seen = public.quality if public else None
    return Quality(
        mean=mine.score,
        low=max(0.0, mine.score - error),
        high=min(1.0, mine.score + error),
        grade=grade,
        measured=True,
        benchmarks=seen.benchmarks if seen else (),
        score_ids=seen.score_ids if seen else (),
        notes=(*(seen.notes if seen else ()), told),
        own=True,
        boards_mean=seen.mean if seen else None,
    )


def _variance(result: EvalResult) -> float:
    """Of the share, by sampling; never 0, for all right on ten cases is no certainty."""
    return max(result.score * (1 - result.score), 1 / (result.n + 2)) / result.n


def _grade(*results: EvalResult) -> Grade:
    return "A" if min(r.n for r in results) >= CASES_FOR_A else "B"


def _above(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))
