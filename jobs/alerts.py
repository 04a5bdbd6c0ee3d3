"""Which findings become messages now, and which rule withholds the others; every one is recorded (PRODUCT 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from data.records import Alert, Cost, Decision, UseCase
from data.store import Store
from jobs.breaker import Breaker, breaker_note, joint_alerts, look
from jobs.messages import alert_message, onboarding_message
from jobs.messages.buttons import with_buttons
from jobs.rules import FOR_DIGEST, RECORDED, Rules, passing
from jobs.watch import Watched
from jobs.why_now import why_now

ALREADY = "already told"


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
    breaker: Breaker | None = None,
) -> list[Alert]:
    """The messages of a cycle: an onboarding summary for use cases seen first, alerts for findings that are news.

    `listed`: today's cost at list prices of the use cases whose team has a contract. `platform`: channel of the people
    who run undercut. `buttons`: findings carry approve, later, reject. `breaker`: as `look` finds it now. Where too many best
    choices flip at once or a source misbehaves, teams hear nothing and the platform channel hears why.
    """
    known = {r["use_case"] for r in store.rows("select distinct use_case from recommendation")}
    recorded = store.rows(RECORDED)
    breaker = breaker or look(store, decisions, now, platform)
    rules = Rules(store, now, recorded, known, breaker.tripped, breaker.waiting)
    fresh = [(c, d) for c, d in decisions if c.slug not in known]
    out = [
        make_alert(
            "onboarding",
            channel,
            onboarding_message(
                channel, rows, now=now, data_as_of=data_as_of, retiring=_leaving(watched, {c.slug for c, _ in rows})
            ),
            now,
        )
        for channel, rows in _by_channel(fresh)
    ]
    for case, d in decisions:
        found = _finding(rules, breaker, case, d, case.slug in changed)
        if found is not None:
            assert d.best is not None
            moved = why_now(store, d, d.best, now, told_at=rules.told_at(d))
            text = alert_message(d, case, now=now, data_as_of=data_as_of, list_now=listed.get(case.slug), trigger=moved)
            text = with_buttons(text, d.rec) if buttons else text
            why, follows = found
            out.append(make_alert("cheaper", case.channel, text, now, d=d, why=why, follows=follows))
    _watched(rules, out, watched, {c.slug: d for c, d in decisions}, platform)
    if breaker.tripped:
        out.append(breaker_note(breaker, out, platform, now))
    return out + joint_alerts(breaker, now)


def _finding(
    rules: Rules, breaker: Breaker, case: UseCase, d: Decision, changed: bool
) -> tuple[str | None, str | None] | None:
    """(why it is withheld, the message it follows) of a switch that is worth a row: new, or no longer kept back."""
    if d.verdict != "switch" or d.best is None or d.rec in breaker.released:
        return None
    pending = rules.pending(d)
    if not changed and pending is None:
        return None
    why = rules.withheld("cheaper", case, _behind(d))
    before = rules.told_before(case, d)
    why = why or (ALREADY if before == ALREADY else None)
    if not changed and why is not None and passing(why) == pending:
        return None  # kept back as it was: nothing to add
    return why, before if why is None and before not in (None, "again") else None


def _behind(d: Decision) -> list[str]:
    """The rates that the saving rests on: of what is proposed and of what runs today."""
    return [i for c in (d.best, d.current) if c is not None and c.cost is not None for i in c.cost.rate_ids]


def _watched(
    rules: Rules, out: list[Alert], watched: Iterable[Watched], decided: Mapping[str, Decision], platform: str | None
) -> None:
    """Add what happened to the models in use; the same news once, unless a rule kept it back that holds no more."""
    kept = {r["alert_id"]: r["withheld_because"] for r in rules.recorded}
    for w in watched:
        d, slug = decided[w.case.slug], w.case.slug
        more = sum(a.use_case == slug and a.withheld_because is None for a in out)
        why = (f"muted: {w.kind}" if w.kind in w.case.alerts.mute else FOR_DIGEST) if w.digest else None
        why = why or rules.withheld(w.kind, w.case, w.rate_ids, more=more, urgent=w.urgent)
        for channel in dict.fromkeys([w.case.channel, *([platform] if w.platform and platform else [])]):
            held = why if channel == w.case.channel else None
            made = make_alert(w.kind, channel, w.message, rules.now, d=d, why=held, key=f"{slug}|{w.key}")
            if held is None and passing(kept.get(made.alert_id)):
                made = make_alert(w.kind, channel, w.message, rules.now, d=d, key=f"{slug}|{w.key}|now")
            if made.alert_id not in kept:
                out.append(made)


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


def _leaving(watched: Iterable[Watched], slugs: set[str]) -> list[str]:
    """For the onboarding summary, in plain words, the next first; the key of a retirement is endpoint|day|stage."""
    found = [(*w.key.split("|"), w.case.slug) for w in watched if w.kind == "retirement" and w.case.slug in slugs]
    return [f"{endpoint} on {day} ({slug})" for endpoint, day, _, slug in sorted(found, key=lambda x: x[1])]


def _by_channel(rows: Iterable[tuple[UseCase, Decision]]) -> list[tuple[str, list[tuple[UseCase, Decision]]]]:
    out: dict[str, list[tuple[UseCase, Decision]]] = {}
    for case, d in rows:
        out.setdefault(case.channel, []).append((case, d))
    return list(out.items())
