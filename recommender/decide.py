"""Exactly one verdict for a use case: switch, test, wait, keep or unknown, with reasons and all it was based on.

The rule is PRODUCT.md 3.1 on the probabilities of SCIENCE.md 4: enough probability that quality holds, the low end of
the saving over both thresholds, payback in time, evidence good enough.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from data.records import Candidate, Decision, UseCase, Verdict
from recommender.budget import broken
from recommender.rank import EASIER_SHARE, EFFORT_DAYS, LIKELY_ENOUGH_TO_TEST, constraint_prices, good_enough, shadowed

CASES_AT_80_PERCENT_POWER = 6.18  # paired non-inferiority at 5 % (SCIENCE 4.2): n = 6.18 q / tau^2
DISAGREEMENT_SHARE = 0.2  # share of items two models answer differently, where nobody has measured it
WAIT_MONTHS = 3.0  # an option to wait is worth taking until the next quarterly review, not for days
WITHIN = 0.1  # "within 10 % of the best eligible choice" is nothing to do
OTHERS = 5
ONLY_CENTRAL = "only the central estimate passes"


def decide(
    use_case: UseCase,
    current: Candidate,
    candidates: Sequence[Candidate],
    *,
    now: datetime,
    data_as_of: datetime,
    waiting_since: datetime | None = None,
    p_again: float | None = None,
    pressed: str | None = None,
) -> Decision:
    """The decision for a use case. `candidates` in the order of `rank`.

    `waiting_since`: when the use case began to wait, if it has waited without a break; one day otherwise starts anew.
    `p_again`: chance that within half a year something comes up that would make it switch again, from the history of
    steps; None: not known, so no option to wait. `pressed`: why it cannot wait (a retirement).
    """
    prices = constraint_prices(current, candidates, use_case.quality)
    verdict, best, reason = _verdict(use_case, current, candidates, prices)
    if verdict == "wait":
        reason = f"{reason}: {_pending(use_case.switch.hold_days, waiting_since, now)}"
    months = waiting_pays_months(use_case, best, p_again) if verdict == "switch" else None
    hurry = pressed or _over_budget(use_case, current)
    if months is not None and months > WAIT_MONTHS and hurry is None:
        verdict = "wait"
        reason = f"waiting pays for up to {months:.1f} months: the switch costs much against the saving, and may soon be due again"
    easier = _easiest(use_case, candidates) if best is not None else None
    used = [c for c in (current, best, easier) if c is not None]
    others = _others(use_case, candidates, [best, easier])
    return Decision(
        rec=recommendation_id(use_case.slug, best or current),
        use_case=use_case.slug,
        decided_at=now,
        data_as_of=data_as_of,
        verdict=verdict,
        reason=reason,
        reasons=(*_reasons(use_case, current, candidates, prices), *_wait_line(months, hurry)),
        current=current,
        best=best,
        easier=easier if easier is not None and (best is None or easier.endpoint_id != best.endpoint_id) else None,
        others=others,
        constraint_usd_per_month=prices,
        rate_ids=tuple(dict.fromkeys(i for c in used if c.cost for i in c.cost.rate_ids)),
        score_ids=tuple(dict.fromkeys(i for c in used if c.quality for i in c.quality.score_ids)),
    )


def waiting_pays_months(use_case: UseCase, best: Candidate | None, p_again: float | None) -> float | None:
    """At most K P / S months (PRODUCT 3.2): switching cost x chance of switching again / saving a month; None: not known."""
    if best is None or p_again is None or not best.saving_usd_per_month or best.saving_usd_per_month <= 0:
        return None
    cost = (best.effort_days or 0) * use_case.switch.usd_per_day + use_case.switch.eval_cost_usd
    return cost * p_again / best.saving_usd_per_month


def _over_budget(use_case: UseCase, current: Candidate) -> str | None:
    return "over budget" if current.cost and broken(use_case.budget, current.cost) else None


def _wait_line(months: float | None, hurry: str | None) -> list[str]:
    if months is None:
        return []
    if hurry is not None:
        return [f"no waiting: {hurry}"]
    return [f"waiting pays for at most {months:.1f} months (cost of the switch x chance of another / saving)"]


def _pending(hold_days: int, since: datetime | None, now: datetime) -> str:
    """How far the hold is (PRODUCT 5.2): a finding that only looks good must look so every day for a while."""
    day = (now - since).days + 1 if since is not None else 1
    return (
        f"pending (day {day} of {hold_days})"
        if day <= hold_days
        else f"held for {hold_days} days, a matter for the digest"
    )


def recommendation_id(slug: str, target: Candidate) -> str:
    """`rec-` and six hex digits; the same while use case, move and target stay the same."""
    text = "|".join((slug, target.move or "", target.endpoint_id, target.tier, target.variant))
    return f"rec-{hashlib.blake2b(text.encode(), digest_size=3).hexdigest()}"


def cases_needed(max_drop: float, disagreement: float = DISAGREEMENT_SHARE) -> int | None:
    """Paired evaluation cases that show a loss of at most `max_drop` (a share); None where no drop is allowed."""
    return round(CASES_AT_80_PERCENT_POWER * disagreement / max_drop**2) if max_drop > 0 else None


def evaluation_needed(max_drop: float) -> str:
    """What would settle it, with what its size supposes."""
    cases = cases_needed(max_drop)
    if cases is None:
        return "an evaluation of your own"
    return f"{cases:,} paired cases of your own (supposing {DISAGREEMENT_SHARE:.0%} of the answers differ)"


def saves_enough(use_case: UseCase, c: Candidate, saving: float | None, cost_now: float) -> bool:
    terms = use_case.switch
    if saving is None or c.move is None:
        return False
    return saving >= terms.min_saving_usd_per_month and saving >= terms.min_saving_share * cost_now


def _verdict(
    use_case: UseCase, current: Candidate, candidates: Sequence[Candidate], prices: dict[str, float]
) -> tuple[Verdict, Candidate | None, str]:
    if current.cost is None:
        return "unknown", None, f"the model in use has no price ({'; '.join(current.reasons)})"
    cost_now = current.cost.usd_per_month
    eligible = [c for c in candidates if c.eligible]
    worth = [c for c in eligible if saves_enough(use_case, c, c.saving_usd_per_month, cost_now)]
    good = [c for c in worth if good_enough(use_case.quality, c)]
    sure = [c for c in good if _sure(use_case, c, cost_now)]
    if sure:
        best = _headline(sure)
        return "switch", best, f"saves ${best.saving_usd_per_month or 0:,.0f} a month, every bar passed"
    if good:
        best = _headline(good)
        return "wait", best, ONLY_CENTRAL
    maybe = [c for c in worth if (c.p_ok or 0) >= LIKELY_ENOUGH_TO_TEST]
    if maybe:
        best = _worth_testing(maybe)
        return (
            "test",
            best,
            f"{_shortfall(use_case, best)}; {evaluation_needed(use_case.quality.max_drop)} would settle "
            + (f"that, not yet the money: {unpaid}" if (unpaid := _unpaid(use_case, best, cost_now)) else "it"),
        )
    if current.quality is None or current.quality.grade is None:
        return "unknown", None, _no_data(current)
    if cost_now == 0:
        return "keep", None, "nothing to save: what runs today costs nothing at the calls and tokens registered"
    fit = [c for c in eligible if good_enough(use_case.quality, c)]
    if any((c.saving_usd_per_month or 0) > cost_now * WITHIN for c in fit):
        return "keep", None, "a cheaper one is good enough, but the saving is under your thresholds"
    limit = shadowed(prices)
    if limit and limit[1] >= use_case.switch.min_saving_usd_per_month:
        return "keep", None, f"limited by {limit[0]}, which costs about ${limit[1]:,.0f} a month"
    if not eligible:
        return "keep", None, "nothing else is eligible"
    if not fit:
        return "keep", None, "no other eligible choice is known to be good enough"
    return "keep", None, "within 10 % of the best eligible choice"


def _sure(use_case: UseCase, c: Candidate, cost_now: float) -> bool:
    pays = c.payback_days is not None and c.payback_days <= use_case.switch.payback_days
    return pays and saves_enough(use_case, c, c.saving_low_usd_per_month, cost_now)


def _headline(passing: Sequence[Candidate]) -> Candidate:
    """The highest net value, or the easiest move that reaches most of it."""
    near = _most_of_the_value(passing)
    return min(near, key=lambda c: (c.effort_days or 0, -(c.net_value_usd or 0), c.endpoint_id, c.variant))


def _most_of_the_value(some: Sequence[Candidate]) -> list[Candidate]:
    top = max(c.net_value_usd or 0 for c in some)
    return [c for c in some if (c.net_value_usd or 0) >= (EASIER_SHARE * top if top > 0 else top)]


def _worth_testing(maybe: Sequence[Candidate]) -> Candidate:
    """Of those that reach most of the best value, the one with the best evidence, then the likeliest."""
    near = _most_of_the_value(maybe)
    return min(near, key=lambda c: (_grade(c), -(c.p_ok or 0), -(c.net_value_usd or 0), c.endpoint_id))


def _others(
    use_case: UseCase, candidates: Sequence[Candidate], shown: Sequence[Candidate | None]
) -> tuple[Candidate, ...]:
    """The next best that would save something, one host a model, those good enough first."""
    taken = {(c.model_id, c.variant) for c in shown if c is not None and c.move != "tier"}
    out: list[Candidate] = []
    judged = [c for c in candidates if c.eligible and c.p_ok is not None and (c.saving_usd_per_month or 0) > 0]
    for c in sorted(
        judged, key=lambda c: (not good_enough(use_case.quality, c), (c.p_ok or 0) < LIKELY_ENOUGH_TO_TEST)
    ):
        if (c.model_id, c.variant) not in taken and c.move != "tier":
            taken.add((c.model_id, c.variant))
            out.append(c)
    return tuple(out[:OTHERS])


def _grade(c: Candidate) -> str:
    return (c.quality.grade if c.quality else None) or "E"


def _easiest(use_case: UseCase, candidates: Sequence[Candidate]) -> Candidate | None:
    passing = [c for c in candidates if c.eligible and good_enough(use_case.quality, c) and (c.net_value_usd or 0) > 0]
    order = list(EFFORT_DAYS)
    return min(
        passing, key=lambda c: (order.index(c.move or "vendor"), -(c.net_value_usd or 0), c.endpoint_id), default=None
    )


def _shortfall(use_case: UseCase, c: Candidate) -> str:
    """Every bar that is missed: what an evaluation would have to lift."""
    asked, grade = use_case.quality, c.quality.grade if c.quality else None
    unlikely = (c.p_ok or 0) < asked.confidence
    thin = c.move not in ("tier", "endpoint") and (grade is None or grade > asked.evidence)
    said = [
        *([f"{c.p_ok or 0:.0%} likely good enough, you ask {asked.confidence:.0%}"] if unlikely else []),
        *([f"evidence {grade or 'missing'}, you ask {asked.evidence} or better"] if thin else []),
    ]
    return "; ".join(said)


def _unpaid(use_case: UseCase, c: Candidate, cost_now: float) -> str:
    """The bars that the low end of the saving misses, which no evaluation of the answers lifts."""
    low, days, asked = c.saving_low_usd_per_month, c.payback_days, use_case.switch.payback_days
    late = days is None or days > asked
    said = [
        *(
            [f"${max(0.0, low or 0):,.0f} a month at the low end"]
            if not saves_enough(use_case, c, low, cost_now)
            else []
        ),
        *([f"{f'paid back in {days:,.0f} days' if days else 'never paid back'}, you ask {asked}"] if late else []),
    ]
    return ", ".join(said)


def _no_data(current: Candidate) -> str:
    known = len(current.quality.benchmarks) if current.quality else 0
    setting = f" with {current.variant}" if current.variant else ""
    return (
        f"not enough data: {known} benchmark{'' if known == 1 else 's'} of this task for the model in use{setting}, "
        "2 from 2 sources needed; your own evaluation would settle it"
    )


def _reasons(
    use_case: UseCase, current: Candidate, candidates: Sequence[Candidate], prices: dict[str, float]
) -> list[str]:
    eligible = [c for c in candidates if c.eligible]
    judged = [c for c in eligible if c.p_ok is not None]
    lines = [f"{len(candidates)} weighed, {len(eligible)} eligible, {len(judged)} with enough evidence to judge"]
    if current.quality is not None:
        lines.extend(f"the model in use: {note}" for note in current.quality.notes)
    counts: dict[str, int] = {}
    for c in candidates:
        for key in {reason.split(":")[0] for reason in c.reasons}:
            counts[key] = counts.get(key, 0) + 1
    if counts:
        top = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[:4]
        lines.append("shut out by " + ", ".join(f"{key} {n}" for key, n in top))
    lines.extend(f"{key} costs about ${usd:,.0f} a month" for key, usd in list(prices.items())[:3])
    return lines
