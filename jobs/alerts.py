"""Which findings become messages now, and which rule withholds the others; every one is recorded (PRODUCT 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from data.records import Alert, Cost, Decision, UseCase
from data.store import Store
from jobs.breaker import HELD_BY, joint_alerts, tripped
from jobs.messages import alert_message, onboarding_message, platform_message
from jobs.messages.buttons import with_buttons
from jobs.watch import Watched
from jobs.withdraw import naive

STALE_DAYS = 7
NEWS_COST_SHARE = 0.2  # a told finding is news again where its saving moved by so much (PRODUCT 5.3)
NEWS_P = 0.1
REARM_SHARE = 0.5  # it clears under half the threshold, or (PRODUCT 5.4)
REARM_P = 0.15  # so far under the confidence asked for
TOLD = """
select a.use_case, a.kind, a.rec, a.created_at, a.withheld_because, a.alert_id, r.saving_usd_per_month, r.p_ok
from alert a left join recommendation r on r.run_id = a.run_id and r.rec = a.rec
where a.kind not in ('onboarding', 'digest', 'rollup', 'breaker', 'joint', 'stale')"""


def alerts_for(
    store: Store,
    decisions: Sequence[tuple[UseCase, Decision]],
    *,
    now: datetime,
    data_as_of: datetime,
    changed: Sequence[str],
    listed: Mapping[str, Cost],
    watched: Sequence[Watched] = (),
    platform: str | None = None,
    buttons: bool = False,
) -> list[Alert]:
    """The messages of a cycle: an onboarding summary for use cases seen first, alerts for findings that are news.

    `listed`: today's cost at list prices of the use cases whose team has a contract. `platform`: channel of the people
    who run undercut. `buttons`: findings carry approve, later, reject. Where too many best choices flip at once, teams hear nothing and the platform channel hears why.
    """
    known = {r["use_case"] for r in store.rows("select distinct use_case from recommendation")}
    fresh = [(c, d) for c, d in decisions if c.slug not in known]
    leaving = _leaving(watched, {c.slug for c, _ in fresh})
    out = [
        make_alert(
            "onboarding",
            channel,
            onboarding_message(channel, rows, now=now, data_as_of=data_as_of, retiring=leaving),
            now,
        )
        for channel, rows in _by_channel(fresh)
    ]
    sent = store.rows(TOLD)
    broken = tripped(store, decisions)
    for case, d in decisions:
        if d.verdict != "switch" or d.best is None or case.slug not in changed:
            continue
        text = alert_message(d, case, now=now, data_as_of=data_as_of, list_now=listed.get(case.slug))
        text = with_buttons(text, d.rec) if buttons else text
        why = _withheld("cheaper", case, sent, now, data_as_of, first=case.slug not in known, broken=broken)
        before = _told_before(store, case, d, sent)
        why = why or (before if before in ("already told",) else None)
        follows = before if why is None and before not in (None, "again") else None
        out.append(make_alert("cheaper", case.channel, text, now, d=d, why=why, follows=follows))
    by_slug = {c.slug: d for c, d in decisions}
    recorded = {r["alert_id"] for r in store.rows("select alert_id from alert")}
    for w in watched:
        d = by_slug[w.case.slug]
        rows = [*sent, *({"use_case": a.use_case, "created_at": naive(now), "withheld_because": a.withheld_because} for a in out)]  # fmt: skip
        why = (f"muted: {w.kind}" if w.kind in w.case.alerts.mute else "for the digest") if w.digest else None
        why = why or _withheld(
            w.kind, w.case, rows, now, data_as_of, first=w.case.slug not in known, broken=broken, urgent=w.urgent
        )
        made = make_alert(w.kind, w.case.channel, w.message, now, d=d, why=why, key=f"{w.case.slug}|{w.key}")
        if made.alert_id not in recorded:
            out.append(made)
        if w.platform and platform and platform != w.case.channel:
            copy = make_alert(w.kind, platform, w.message, now, d=d, key=f"{w.case.slug}|{w.key}")
            out += [copy] if copy.alert_id not in recorded else []
    if broken:
        out.append(_breaker_note(broken, out, platform, now))
    else:
        out += joint_alerts(store, decisions, now)
    return out


def make_alert(
    kind: str,
    channel: str,
    message: dict[str, object],
    now: datetime,
    *,
    d: Decision | None = None,
    why: str | None = None,
    key: str | None = None,
    follows: str | None = None,
) -> Alert:
    """`key` makes the same news one alert, whenever it is found; without it the instant does."""
    text = f"{kind}|{channel}|{key}" if key else f"{kind}|{channel}|{d.rec if d else ''}|{now.isoformat()}"
    return Alert(
        alert_id="al-" + hashlib.blake2b(text.encode(), digest_size=5).hexdigest(),
        kind=kind,
        use_case=d.use_case if d else None,
        rec=d.rec if d else None,
        channel=channel,
        created_at=now,
        message=message,
        withheld_because=why,
        follows=follows,
    )


def _withheld(
    kind: str,
    case: UseCase,
    sent: Iterable[Mapping[str, Any]],
    now: datetime,
    data_as_of: datetime,
    *,
    first: bool,
    broken: str | None,
    urgent: bool = False,
) -> str | None:
    """The first rule that keeps a message back, or None. What is urgent knows no cooldown and no cap (PRODUCT 5.5)."""
    told = [a for a in sent if a["use_case"] == case.slug and a["withheld_because"] is None]
    week = [a for a in told if a["created_at"] >= naive(now - timedelta(days=7))]
    if first:
        return "first run: the onboarding summary only"
    if broken:
        return f"{HELD_BY}: {broken}"
    if case.alerts.mode != "instant":
        return f"alerts: {{mode: {case.alerts.mode}}}"
    if kind in case.alerts.mute:
        return f"muted: {kind}"
    if case.alerts.snooze_until and now.date().isoformat() < case.alerts.snooze_until:
        return f"snoozed until {case.alerts.snooze_until}"
    if kind in ("cheaper", "better") and (now - data_as_of).days > STALE_DAYS:
        return f"the prices are {(now - data_as_of).days} days old"
    if kind in ("cheaper", "better") and _in_cooldown(case, now):
        return f"cooldown of {case.switch.cooldown_days} days after a decision"
    if not urgent and len(week) >= case.alerts.max_per_week:
        return f"{case.alerts.max_per_week} alerts this week already; the rest goes to the digest"
    return None


def _told_before(store: Store, case: UseCase, d: Decision, sent: Iterable[Mapping[str, Any]]) -> str | None:
    """None: never told. `again`: told, cleared since, and crossed anew. A message id: told, and its facts have moved so
    far that it is news. `already told` otherwise."""
    told = [a for a in sent if a["kind"] == "cheaper" and a["rec"] == d.rec and a["withheld_because"] is None]
    if not told or d.best is None:
        return None
    last = max(told, key=lambda a: a["created_at"])
    if _cleared(store, case, d, last["created_at"]):
        return "again"
    saving, then = d.best.saving_usd_per_month or 0, last["saving_usd_per_month"]
    moved = then is not None and abs(saving - then) >= NEWS_COST_SHARE * abs(then)
    p_moved = last["p_ok"] is not None and d.best.p_ok is not None and abs(d.best.p_ok - last["p_ok"]) >= NEWS_P
    return message_id(last["alert_id"]) if moved or p_moved else "already told"


def message_id(alert_id: str) -> str:
    return "msg-" + alert_id.removeprefix("al-")


def _cleared(store: Store, case: UseCase, d: Decision, since: datetime) -> bool:
    """Was the finding gone at any cycle since: shut out, under half the threshold, or far less likely to hold?"""
    best = d.best
    if best is None:
        return False
    terms = case.switch
    found = store.rows(
        """
        select 1 from candidate c
        join (select distinct run_id, use_case, decided_at, cost_usd_per_month as now_usd from recommendation) r
            on r.run_id = c.run_id and r.use_case = c.use_case
        where r.use_case = ? and r.decided_at > ? and c.endpoint_id = ? and c.tier = ? and c.variant = ?
            and c.move is not distinct from ?
            and (not c.eligible or c.saving_usd_per_month is null or c.p_ok is null or c.p_ok < ?
                or c.saving_usd_per_month < ? * greatest(?, ? * r.now_usd)) limit 1""",
        [
            case.slug, since, best.endpoint_id, best.tier, best.variant, best.move,
            case.quality.confidence - REARM_P, REARM_SHARE, terms.min_saving_usd_per_month, terms.min_saving_share,
        ],
    )  # fmt: skip
    return bool(found)


def _in_cooldown(case: UseCase, now: datetime) -> bool:
    days = [(now.date() - datetime.fromisoformat(r.date).date()).days for r in case.rulings]
    return any(0 <= d < case.switch.cooldown_days for d in days)


def _breaker_note(broken: str, made: Sequence[Alert], platform: str | None, now: datetime) -> Alert:
    held = [a for a in made if (a.withheld_because or "").startswith(HELD_BY)]
    lines = [
        f"Why     {broken}",
        f"Held    {len(held)} messages for teams; nothing was sent to them",
        *(f"        {a.kind:<10} {a.use_case or '':<24} {a.rec or ''}" for a in held[:20]),
        'Look    undercut sql "select * from quarantine"   undercut sql "select * from sources where outcome = \'failed\'"',
        "Next    undercut feedback breaker release   (one joint message per channel, of what still holds then)",
        "Or      wait: six hours or more later, findings that two sources confirm go out by themselves",
    ]
    message = platform_message("circuit breaker: teams hear nothing of this run", lines)
    why = None if platform else "no platform channel: set UNDERCUT_PLATFORM_CHANNEL"
    return make_alert("breaker", platform or "", message, now, why=why)


def _leaving(watched: Iterable[Watched], slugs: set[str]) -> list[str]:
    """For the onboarding summary, in plain words; the key of a retirement is endpoint|day|stage."""
    found = [w for w in watched if w.kind == "retirement" and w.case.slug in slugs]
    return [f"{w.key.split('|')[0]} on {w.key.split('|')[1]} ({w.case.slug})" for w in found]


def _by_channel(rows: Iterable[tuple[UseCase, Decision]]) -> list[tuple[str, list[tuple[UseCase, Decision]]]]:
    out: dict[str, list[tuple[UseCase, Decision]]] = {}
    for case, d in rows:
        out.setdefault(case.channel, []).append((case, d))
    return list(out.items())
