"""The onboarding summary (the first run sends this and no alert), and notes to the platform channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from data.records import Decision, UseCase
from jobs.messages.blocks import Payload, name, payload, usd
from jobs.messages.sums import CONTRACT, Sums, reason, sums
from jobs.post_days import USUAL, spoken

DEFAULTS_THAT_MATTER = {
    "tokens.cached": "cached 0",
    "traffic.calls_per_outcome": "calls_per_outcome 1",
    "traffic.batchable": "batchable 0",
    "quality.max_drop": "quality keep",
}


def onboarding_message(
    channel: str,
    rows: Sequence[tuple[UseCase, Decision]],
    *,
    now: datetime,
    data_as_of: datetime,
    retiring: Sequence[str] | None = None,
) -> Payload:
    """What undercut watches for one channel, use case by use case (PRODUCT 4.4).

    `retiring`: endpoints in use that leave within 180 days, in plain words; None where nobody looked.
    """
    leaving = "unknown" if retiring is None else "; ".join(retiring) or "nothing announced within 180 days"
    many = "" if len(rows) == 1 else "s"
    width = max((len(case.slug) for case, _ in rows), default=0)
    lines = [_line(case, d, width) for case, d in rows] or ["no use case is registered for this channel"]
    own = any(sums(d, case).hidden for case, d in rows)
    assumed = [f"{case.slug} {' and '.join(_assumed(case))}" for case, _ in rows if _assumed(case)]
    blocked = [
        f"{k} about {usd(v)}/mo on {d.use_case}"
        for case, d in rows
        for k, v in d.constraint_usd_per_month.items()
        if v >= 100 and not sums(d, case).hidden
    ]
    digests = dict.fromkeys(spoken(case.alerts.schedule) for case, _ in rows) or {spoken(USUAL): None}
    last = [
        f"Assumed   {'; '.join(assumed[:4]) or 'no default that matters'} (undercut explain {rows[0][0].slug if rows else 'SLUG'})",
        f"Blocked   {'; '.join(blocked[:4]) or 'no constraint costs over $100 a month'}",
        f"Retiring  {leaving}",
        "You get   an alert here when the low end of a saving passes your thresholds, your bill rises, or your model leaves or has no price;",
        f"          a digest {' and '.join(digests)}; nothing else",
        "Stop it   alerts: {mode: digest} or {mode: never} in use_cases.yaml · hit rate of our alerts: none sent yet",
    ]
    head = f"🔵 undercut watches {len(rows)} use case{many} for {channel} · first run · {now:%d %b %Y}"
    small = f"Sums at list prices{'; ' + CONTRACT if own else ''}. Prices as of {data_as_of:%d %b %Y}."
    return payload(head, lines, [small], last=last, more="undercut check")


def platform_message(headline: str, lines: Sequence[str]) -> Payload:
    """A data fault or a summary for the people who run undercut; teams never see it."""
    return payload(f"⚙️ {headline}", lines)


def _line(case: UseCase, d: Decision, width: int) -> str:
    told = sums(d, case)
    cost = f"{usd(told.now_usd_per_month)}/mo" if told.now_usd_per_month is not None else "unpriced"
    if d.current.cost is not None and told.now_usd_per_month is None:
        cost = "contract"
    return f"{case.slug:<{width}}  {cost:>10}  {_said(d, told)}"


def _said(d: Decision, told: Sums) -> str:
    best = d.best
    if best is None:
        return reason(d, told)
    target = f"{name(best.endpoint_id, 48)}{'' if best.tier == 'standard' else f' [{best.tier}]'}"
    listed = told.saving(best)
    saving = usd(listed) if listed is not None and listed > 0 else "money under your contract"
    days = "effort unknown" if best.effort_days is None else f"{best.effort_days:g} days"
    match d.verdict:
        case "switch":
            return f"{target} would save {saving}, {days}   {d.rec}"
        case "wait":
            return f"{target} may save {saving}: watched until it holds   {d.rec}"
        case _:
            return f"{target} may save {saving}: {reason(d, told)}"


def _assumed(case: UseCase) -> list[str]:
    return [words for key, words in DEFAULTS_THAT_MATTER.items() if key not in case.origins][:2]
