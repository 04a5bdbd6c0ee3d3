"""The instant alert: who, what, money; now and then; trust; fit; effort; the next command; how to stop it; why now."""

from __future__ import annotations

from datetime import datetime

from data.records import Candidate, Decision, UseCase
from jobs.messages.blocks import Payload, name, payload, percent, usd
from recommender.decide import cases_needed

MARKS = {"switch": "🟡", "test": "🔵", "wait": "🔵", "keep": "🔵", "unknown": "🔵"}


def alert_message(d: Decision, case: UseCase, *, now: datetime) -> Payload:
    """The message of one finding (PRODUCT 4.1 and 4.2). Contract prices never show: sums are at list prices."""
    best = d.best
    if best is None:
        return payload(f"{MARKS[d.verdict]} {case.slug}: {d.verdict}", [d.reason], _why(d, case))
    share = _share(best.saving_usd_per_month, d.current)
    head = f"{MARKS[d.verdict]} {case.slug}: {d.verdict} would save ≈ {usd(best.saving_usd_per_month)} a month (−{percent(share)})"
    owner = case.owner or (case.contacts[0] if case.contacts else "nobody named")
    lines = [
        f"Who     {d.rec} · {case.channel} · {owner}",
        *_money(d.current, best),
        *_quality(d, case, best),
        *_fit(case, best),
        _effort(case, best),
        *_easier(d),
        f"Next    undercut explain {d.rec}   {_evaluation(case) if best.move in ('sibling', 'vendor') else ''}".rstrip(),
        f"Answer  undercut feedback {d.rec} approve | later | reject --why …",
    ]
    return payload(head, lines, _why(d, case))


def _money(now: Candidate, best: Candidate) -> list[str]:
    width = min(60, max(len(now.endpoint_id), len(best.endpoint_id), 10))

    def line(word: str, c: Candidate, tail: str = "") -> str:
        per_thousand = c.cost.usd_per_call * 1000 if c.cost else None
        month = usd(c.cost.usd_per_month if c.cost else None)
        tier = "" if c.tier == "standard" else f" [{c.tier}]"
        return (
            f"{word:<7} {name(c.endpoint_id) + tier:<{width}}  {month:>8}/mo  {usd(per_thousand)} per 1,000 calls{tail}"
        )

    spread = ""
    if best.cost and best.cost.high_usd_per_month > best.cost.low_usd_per_month:
        spread = f"  range {usd(best.cost.low_usd_per_month)}–{usd(best.cost.high_usd_per_month)}"
    return [line("Now", now), line("Move", best, spread)]


def _quality(d: Decision, case: UseCase, best: Candidate) -> list[str]:
    if best.move in ("tier",):
        return ["Quality the same model on the same host: no quality question"]
    q, mine = best.quality, d.current.quality
    if q is None or mine is None:
        same = "the same weights on another host" if best.move == "endpoint" else "unknown"
        return [
            f"Quality {same} → {percent(best.p_ok)} likely good enough (you ask {percent(case.quality.confidence)})"
        ]
    setting = f" with {best.variant}" if best.variant else ""
    allowed = mine.mean - case.quality.max_drop
    kind = "measured" if q.measured and mine.measured else "likely, some boards are estimated"
    return [
        f"Quality {q.mean:.2f} [{q.low:.2f}–{q.high:.2f}, 80 %]{setting} vs yours {mine.mean:.2f}, allowed ≥ {allowed:.2f} "
        f"→ {percent(min(best.p_ok or 0, 0.999))} likely good enough (you ask {percent(case.quality.confidence)})",
        f"Trust   {kind}, evidence {q.grade or 'none'} · {'; '.join(q.notes)}",
    ]


def _fit(case: UseCase, best: Candidate) -> list[str]:
    need = case.require
    asked = [*need.features, *need.params, *need.regions]
    if need.context_tokens:
        asked.append(f"context {need.context_tokens:,}")
    met = " · ".join(f"{a} ✓" for a in asked) if asked else "no hard constraint beyond age and remaining life"
    notes = f" · {'; '.join(best.cost.notes)}" if best.cost and best.cost.notes else ""
    return [f"Fits    {met}{notes}"]


def _effort(case: UseCase, best: Candidate) -> str:
    once = f" + {usd(case.switch.eval_cost_usd)} evaluation" if case.switch.eval_cost_usd else ""
    days = "never at the low end" if best.payback_days is None else f"in {best.payback_days:.0f} days at the low end"
    return f"Effort  ~{best.effort_days:g} days ({best.move}){once} → paid back {days}"


def _easier(d: Decision) -> list[str]:
    e = d.easier
    if e is None or e.move is None:
        return []
    return [
        f"Easier  {e.move}: {name(e.endpoint_id)} [{e.tier}], −{usd(e.saving_usd_per_month)}/mo, {e.effort_days:g} days"
    ]


def _evaluation(case: UseCase) -> str:
    if case.evals.run:
        return f"your evaluation: {name(case.evals.run, 80)}"
    cases = cases_needed(case.quality.max_drop)
    return f"({cases:,} paired cases of your own would prove it)" if cases else ""


def _why(d: Decision, case: UseCase) -> list[str]:
    best = d.best
    terms = case.switch
    rule = (
        f"Why now: the low end of the saving {usd(best.saving_low_usd_per_month)} against your "
        f"{usd(terms.min_saving_usd_per_month)} and {percent(terms.min_saving_share)}."
        if best and best.saving_low_usd_per_month is not None
        else f"Why: {d.reason}."
    )
    own = (
        "your contract was counted in the decision" if case.current.private_price or case.current.discount_share else ""
    )
    sums = f"Sums at list prices{'; ' + own if own else ''}. Prices as of {d.data_as_of:%d %b %Y}. {len(d.rate_ids)} rates and {len(d.score_ids)} scores behind it: undercut explain {d.rec}"
    return [rule, sums, "Stop it: alerts: {mode: digest} or {mode: never} in use_cases.yaml"]


def _share(saving: float | None, now: Candidate) -> float | None:
    return saving / now.cost.usd_per_month if saving is not None and now.cost and now.cost.usd_per_month else None
