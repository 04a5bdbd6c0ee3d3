"""The onboarding summary (the first run sends this and no alert), and notes to the platform channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from data.records import Decision, UseCase
from jobs.messages.blocks import Payload, name, payload, usd

DEFAULTS_THAT_MATTER = {
    "tokens.cached": "cached 0",
    "traffic.calls_per_outcome": "calls_per_outcome 1",
    "traffic.batchable": "batchable 0",
    "quality.max_drop": "quality keep",
}


def onboarding_message(
    channel: str, rows: Sequence[tuple[UseCase, Decision]], *, now: datetime, data_as_of: datetime
) -> Payload:
    """What undercut watches for one channel, use case by use case (PRODUCT 4.4)."""
    many = "" if len(rows) == 1 else "s"
    width = max(len(case.slug) for case, _ in rows)
    lines = [_line(case, d, width) for case, d in rows]
    assumed = [f"{case.slug} {' and '.join(_assumed(case))}" for case, _ in rows if _assumed(case)]
    blocked = [
        f"{k} about {usd(v)}/mo on {d.use_case}"
        for _, d in rows
        for k, v in d.constraint_usd_per_month.items()
        if v >= 100
    ]
    lines += [
        f"Assumed   {'; '.join(assumed[:4]) or 'no default that matters'} (undercut explain SLUG)",
        f"Blocked   {'; '.join(blocked[:4]) or 'no constraint costs over $100 a month'}",
        "You get   an alert here when the low end of a saving passes your thresholds; a digest on Mondays; nothing else",
        "Stop it   alerts: {mode: digest} or {mode: never} in use_cases.yaml · hit rate of our alerts: none sent yet",
    ]
    head = f"🔵 undercut watches {len(rows)} use case{many} for {channel} · first run · {now:%d %b %Y}"
    return payload(head, lines, [f"Sums at list prices. Prices as of {data_as_of:%d %b %Y}."])


def platform_message(headline: str, lines: Sequence[str]) -> Payload:
    """A data fault or a summary for the people who run undercut; teams never see it."""
    return payload(f"⚙️ {headline}", lines)


def _line(case: UseCase, d: Decision, width: int) -> str:
    cost = f"{usd(d.current.cost.usd_per_month)}/mo" if d.current.cost else "unpriced"
    return f"{case.slug:<{width}}  {cost:>10}  {_said(d)}"


def _said(d: Decision) -> str:
    best = d.best
    if best is None:
        return d.reason
    target = f"{name(best.endpoint_id, 48)}{'' if best.tier == 'standard' else f' [{best.tier}]'}"
    saving = usd(best.saving_usd_per_month)
    match d.verdict:
        case "switch":
            return f"{target} would save {saving}, {best.effort_days:g} days   {d.rec}"
        case "wait":
            return f"{target} may save {saving}: watched until it holds   {d.rec}"
        case _:
            return f"{target} may save {saving}: {d.reason}"


def _assumed(case: UseCase) -> list[str]:
    return [words for key, words in DEFAULTS_THAT_MATTER.items() if key not in case.origins][:2]
