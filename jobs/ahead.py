"""What a use case may cost in 3, 6 and 12 months, and whether to switch now, wait or stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from data.records import DAYS_PER_MONTH, Candidate, UseCase
from jobs.look_back import Standing, named
from jobs.trends.forecast import HORIZONS_DAYS, next_price
from recommender.cost.growth import months_worth
from recommender.eligible import earliest

Advice = Literal["switch", "wait", "stay"]


@dataclass(frozen=True)
class Ahead:
    """Cost of the cheapest choice that is good enough, US dollars a month: now, and at the horizon with its 80 % interval."""

    use_case: str
    days: int
    best_endpoint: str | None
    best_usd_per_month: float | None
    usd_per_month: float | None
    low_usd_per_month: float | None
    high_usd_per_month: float | None
    p_unchanged: float | None
    advice: Advice
    why: str


def foreseen(here: Standing, case: UseCase, day: date) -> list[Ahead]:
    """A row a horizon. A choice follows the floor of its level: the price in use does not fall by itself."""
    present, *ranked = here.candidates[case.slug]
    sure = [c for c in ranked if c.eligible and c.cost and (c.p_ok or 0) >= case.quality.confidence]
    best = min((c for c in [*sure, present] if c.cost), key=_usd, default=None)
    if best is None:
        return [_nothing(case, d, "the model in use has no price") for d in HORIZONS_DAYS]
    decision = here.decisions[case.slug]
    rows = []
    for days in HORIZONS_DAYS:
        told = next_price(_usd(best), day, days)
        months, until = _span(here, present, decision.best, day, days)
        advice, why = _advice(
            case, decision.verdict, decision.best, present, told.low, months, until, 1 - told.p_unchanged
        )
        rows.append(
            Ahead(
                case.slug,
                days,
                named(best),
                _usd(best),
                told.usd,
                told.low,
                told.high,
                told.p_unchanged,
                advice,
                why,
            )
        )
    return rows


def _advice(
    case: UseCase,
    verdict: str,
    target: Candidate | None,
    present: Candidate,
    low_usd: float,
    months: float,
    until: str,
    moves: float,
) -> tuple[Advice, str]:
    """Waiting forgoes the saving of every month, as traffic grows, and gains at most one change of model less and a lower price
    once there. `until`: what ends the months before the horizon, or nothing."""
    if verdict != "switch" or target is None or target.cost is None or target.saving_usd_per_month is None:
        far = (present.cost.usd_per_month if present.cost else 0.0) - low_usd
        if far >= case.switch.min_saving_usd_per_month and verdict in ("wait", "test"):
            return (
                "wait",
                f"{verdict} today; by then up to ${far:,.0f} a month could be saved ({moves:.0%} that the floor moves)",
            )
        return "stay", f"{verdict} today; nothing to switch to is proven"
    forgone = months_worth(months, case.workload.growth_per_month) * target.saving_usd_per_month
    span = until or f"{months:.0f} months"
    effort = (target.effort_days or 0) * case.switch.usd_per_day + case.switch.eval_cost_usd
    return (
        "switch",
        f"waiting {span} forgoes ${forgone:,.0f}; the switch costs ${effort:,.0f} whenever it is made"
        if forgone > effort
        else (
            f"the switch costs ${effort:,.0f}, more than the ${forgone:,.0f} of waiting {span}"
            + ("" if until else "; it pays over longer")
        ),
    )


def _span(here: Standing, present: Candidate, target: Candidate | None, day: date, days: int) -> tuple[float, str]:
    """Months until the horizon, or until the model in use or the one to switch to leaves, and the words for that."""
    ends = [
        (gone, c.endpoint_id)
        for c in (present, target)
        if c is not None and (known := here.facts.endpoints.get(c.endpoint_id)) and (gone := earliest(known.retires_on))
    ]
    if not ends or (left := (min(ends)[0] - day).days) >= days:
        return days / DAYS_PER_MONTH, ""
    gone, leaves = min(ends)
    return max(0, left) / DAYS_PER_MONTH, f"until {leaves} leaves on {gone:%d %b %Y}"


def _nothing(case: UseCase, days: int, why: str) -> Ahead:
    return Ahead(case.slug, days, None, None, None, None, None, None, "stay", why)


def _usd(c: Candidate) -> float:
    return c.cost.usd_per_month if c.cost else float("inf")
