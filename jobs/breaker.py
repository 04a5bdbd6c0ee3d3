"""The circuit breaker (PRODUCT 5.7): when too many best choices flip at once, our data is likelier wrong than the world.

Teams then hear nothing. What was held goes out later as one joint message per channel: when a person says so, or by a
run six hours or more later that finds the same on rates that two sources state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from data.records import Alert, Decision, UseCase
from data.store import Readable
from jobs.messages.blocks import Payload, name, payload, percent, usd
from jobs.messages.sums import sums
from jobs.withdraw import naive

HELD_BY = "circuit breaker"
MOST_SHARE = 0.3
LEAST_CASES = 5
APART = timedelta(hours=6)
LAST = """
select use_case, to_endpoint, to_tier, verdict from recommendation
qualify row_number() over (partition by use_case order by decided_at desc) = 1"""
HELD = """
with opened as (select max(created_at) as opened_at from alert where kind = 'breaker')
select a.alert_id, a.use_case, a.rec, a.channel, a.created_at from alert a, opened
where a.kind = 'cheaper' and starts_with(a.withheld_because, ?) and a.created_at >= opened.opened_at
    and not exists (select 1 from alert j where j.kind = 'joint' and j.channel = a.channel and j.created_at > a.created_at)
order by a.created_at, a.use_case"""


def tripped(store: Readable, decisions: Sequence[tuple[UseCase, Decision]]) -> str | None:
    """Why nothing may be sent, or None: over 30 % of at least five use cases have another best choice than before."""
    last = {r["use_case"]: (r["to_endpoint"], r["to_tier"]) for r in store.rows(LAST)}
    pairs = [(d.use_case, (d.best.endpoint_id, d.best.tier) if d.best else (None, None)) for _, d in decisions]
    known = [(slug, best) for slug, best in pairs if slug in last]
    moved = [slug for slug, best in known if best != last[slug]]
    if len(known) < LEAST_CASES or len(moved) <= MOST_SHARE * len(known):
        return None
    return f"{len(moved)} of {len(known)} use cases changed their best choice in one run"


def joint_alerts(store: Readable, decisions: Sequence[tuple[UseCase, Decision]], now: datetime) -> list[Alert]:
    """One message per channel of what the breaker held and what still holds, once it is released."""
    held = store.rows(HELD, [HELD_BY])
    if not held:
        return []
    opened = min(r["created_at"] for r in held)
    released = bool(
        store.rows("select 1 from feedback where rec = 'breaker' and verdict = 'release' and decided_at >= ?", [opened])
    )
    still = {d.rec: (case, d) for case, d in decisions if d.verdict == "switch" and d.best is not None}
    found = [still[r["rec"]] for r in held if r["rec"] in still]
    if not found or not (released or (naive(now) - opened >= APART and all(_confirmed(store, d) for _, d in found))):
        return []
    out = []
    for channel in dict.fromkeys(case.channel for case, _ in found):
        rows = [(c, d) for c, d in found if c.channel == channel]
        text = f"joint|{channel}|{opened.isoformat()}"
        out.append(
            Alert(
                alert_id="al-" + hashlib.blake2b(text.encode(), digest_size=5).hexdigest(),
                kind="joint",
                use_case=None,
                rec=None,
                channel=channel,
                created_at=now,
                message=_joint_message(rows, opened.replace(tzinfo=UTC), by_person=released),
            )
        )
    return out


def _confirmed(store: Readable, d: Decision) -> bool:
    """Every rate of the finding is one that two sources state."""
    ids = list(d.best.cost.rate_ids) if d.best and d.best.cost else []
    found = store.rows(
        "select distinct rate_id from rate where list_contains(?::varchar[], rate_id) and standing = 'witnessed'", [ids]
    )
    return bool(ids) and len(found) == len(set(ids))


def _joint_message(rows: Sequence[tuple[UseCase, Decision]], opened: datetime, *, by_person: bool) -> Payload:
    lines = []
    for case, d in rows:
        told, best = sums(d, case), d.best
        if best is None:
            continue
        saving = told.saving(best)
        money = f"−{usd(saving)}/mo" if saving is not None and saving > 0 else "saving under your contract"
        lines.append(f"{case.slug}  {name(best.endpoint_id)}  {money}  {percent(best.p_ok)}  {d.rec}")
    why = "a person looked and released it" if by_person else "two sources now state the prices"
    last = [
        "Next    undercut explain REC",
        "Answer  undercut feedback REC approve | later | reject --why …",
        "Stop it alerts: {mode: digest} or {mode: never} in use_cases.yaml",
        f"Why now held since {opened:%d %b %Y %H:%M} UTC because many best choices moved at once; {why}",
    ]
    many = "finding" if len(lines) == 1 else "findings"
    return payload(f"🟡 {len(lines)} {many}, held and now released", lines, last=last, more="undercut check")
