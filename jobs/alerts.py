"""Which decisions become messages now, and which rule withholds the others; every one is recorded (PRODUCT 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from data.records import Alert, Cost, Decision, UseCase
from data.store import Store
from jobs.messages import alert_message, onboarding_message

STALE_DAYS = 7


def alerts_for(
    store: Store,
    decisions: Sequence[tuple[UseCase, Decision]],
    *,
    now: datetime,
    data_as_of: datetime,
    changed: Sequence[str],
    listed: Mapping[str, Cost],
) -> list[Alert]:
    """The messages of a cycle: an onboarding summary for use cases seen first, alerts for findings that are news.

    `listed`: today's cost at list prices of the use cases whose team has a contract.
    """
    known = {r["use_case"] for r in store.rows("select distinct use_case from recommendation")}
    fresh = [(c, d) for c, d in decisions if c.slug not in known]
    out = [
        _alert(
            "onboarding", None, channel, onboarding_message(channel, rows, now=now, data_as_of=data_as_of), now, None
        )
        for channel, rows in _by_channel(fresh)
    ]
    sent = store.rows("select use_case, rec, created_at, withheld_because, message from alert where kind = 'cheaper'")
    for case, d in decisions:
        if d.verdict != "switch" or d.best is None or case.slug not in changed:
            continue
        why = _withheld(case, d, sent, now, data_as_of, first=case.slug not in known)
        out.append(
            _alert(
                "cheaper",
                d,
                case.channel,
                alert_message(d, case, now=now, data_as_of=data_as_of, list_now=listed.get(case.slug)),
                now,
                why,
            )
        )
    return out


def _withheld(
    case: UseCase, d: Decision, sent: list[dict[str, Any]], now: datetime, data_as_of: datetime, *, first: bool
) -> str | None:
    """The first rule that keeps an alert back, or nobody."""
    told = [a for a in sent if a["use_case"] == case.slug and a["withheld_because"] is None]
    week = [a for a in told if a["created_at"] >= (now - timedelta(days=7)).astimezone(UTC).replace(tzinfo=None)]
    if first:
        return "first run: the onboarding summary only"
    if case.alerts.mode != "instant":
        return f"alerts: {{mode: {case.alerts.mode}}}"
    if "cheaper" in case.alerts.mute:
        return "muted: cheaper"
    if case.alerts.snooze_until and now.date().isoformat() < case.alerts.snooze_until:
        return f"snoozed until {case.alerts.snooze_until}"
    if (now - data_as_of).days > STALE_DAYS:
        return f"the prices are {(now - data_as_of).days} days old"
    if any(a["rec"] == d.rec for a in told):
        return "already told"
    if _in_cooldown(case, now):
        return f"cooldown of {case.switch.cooldown_days} days after a decision"
    if len(week) >= case.alerts.max_per_week:
        return f"{case.alerts.max_per_week} alerts this week already; the rest goes to the digest"
    return None


def _in_cooldown(case: UseCase, now: datetime) -> bool:
    days = [(now.date() - datetime.fromisoformat(r.date).date()).days for r in case.rulings]
    return any(0 <= d < case.switch.cooldown_days for d in days)


def _by_channel(rows: Iterable[tuple[UseCase, Decision]]) -> list[tuple[str, list[tuple[UseCase, Decision]]]]:
    out: dict[str, list[tuple[UseCase, Decision]]] = {}
    for case, d in rows:
        out.setdefault(case.channel, []).append((case, d))
    return list(out.items())


def _alert(
    kind: str, d: Decision | None, channel: str, message: dict[str, object], now: datetime, why: str | None
) -> Alert:
    text = f"{kind}|{channel}|{d.rec if d else ''}|{now.isoformat()}"
    return Alert(
        alert_id="al-" + hashlib.blake2b(text.encode(), digest_size=5).hexdigest(),
        kind=kind,
        use_case=d.use_case if d else None,
        rec=d.rec if d else None,
        channel=channel,
        created_at=now,
        message=message,
        withheld_because=why,
    )
