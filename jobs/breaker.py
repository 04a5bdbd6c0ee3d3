"""The circuit breaker (PRODUCT 5.7): when too many best choices flip at once, or a source's rows, our data is likelier wrong
than the world.

Teams then hear nothing. What was held goes out later as one joint message per channel: when a person says so, or by a
run six hours or more later that finds the same on rates that two independent sources state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from data.records import Alert, Decision, UseCase
from data.store import Readable, Store
from jobs.messages import platform_message
from jobs.messages.blocks import Payload, name, payload, percent, usd
from jobs.messages.sums import sums
from jobs.rules import HELD_BY
from jobs.withdraw import naive
from jobs.witnesses import stated_elsewhere

MOST_SHARE = 0.3
LEAST_CASES = 5
MOST_ROWS_SHARE = 0.4
LEAST_ROWS = 5
APART = timedelta(hours=6)
LAST = """
select use_case, to_endpoint, to_tier, verdict from recommendation
qualify row_number() over (partition by use_case order by decided_at desc) = 1"""
HELD = """
select rec, held_at from (
    select rec, withheld_because, min(created_at) filter (starts_with(withheld_because, $why)) over (partition by rec) as held_at,
        row_number() over (partition by rec order by created_at desc) as place
    from alert a where kind = 'cheaper' and not exists (select 1 from alert j where j.kind = 'joint'
        and j.channel = a.channel and j.created_at > a.created_at and contains(j.message::varchar, a.rec)))
where place = 1 and starts_with(withheld_because, $why)"""
# a source's newest body beside the one before, where it was read since the last decision: rows that vanished or moved
MOVED = """
with bodies as (
    select source_id, sha256, fetched_at, lag(sha256) over (partition by source_id order by fetched_at) as before
    from capture where outcome <> 'failed' and sha256 is not null),
fresh as (
    select * from bodies where before <> sha256 and fetched_at > (select max(decided_at) from recommendation)
    and fetched_at <= $now qualify row_number() over (partition by source_id order by fetched_at desc) = 1),
stated as (
    select f.source_id, c.capture = f.sha256 as newer, c.model_as_written as model, c.model_id_as_written as id, c.meter, c.tier,
        c.context_min_tokens as low, c.context_max_tokens as high, c.time_window as hours, c.region, list(c.amount order by c.amount) as amounts
    from fresh f join price_claim c on c.source_id = f.source_id and c.capture in (f.sha256, f.before) group by all),
pairs as (
    select source_id, list(amounts) filter (newer) as now_stated, list(amounts) filter (not newer) as stated_before
    from stated group by source_id, model, id, meter, tier, low, high, hours, region)
select p.source_id, f.sha256, count(*) as rows, count(*) filter (now_stated is null) as vanished,
    count(*) filter (now_stated <> stated_before) as moved
from pairs p join fresh f using (source_id) where stated_before is not null
group by p.source_id, f.sha256 order by p.source_id"""


@dataclass(frozen=True)
class Breaker:
    """`tripped`: why nothing may be sent in this run. `mark`: what it saw, where that is told once. `waiting`: use cases it
    holds since an earlier run. `released`: by recommendation, findings that may go now; `opened`: since when they were held."""

    tripped: str | None = None
    mark: str | None = None
    waiting: frozenset[str] = frozenset()
    released: Mapping[str, tuple[UseCase, Decision]] = field(default_factory=dict)
    opened: datetime | None = None
    by_person: bool = False

    @property
    def open(self) -> str | None:
        """Why teams hear nothing, in this run or still since an earlier one; None where it is shut."""
        n = len(self.waiting)
        held = f"what it held of {n} use case{'' if n == 1 else 's'} is not released yet" if n else None
        return self.tripped or held


def look(
    store: Store, decisions: Sequence[tuple[UseCase, Decision]], now: datetime, platform: str | None = None
) -> Breaker:
    """The breaker before anything of this run is written. A source's one bad body trips it once."""
    told = {r["alert_id"] for r in store.rows("select alert_id from alert where kind = 'breaker'")}
    if (why := flipped(store, decisions)) is not None:
        return Breaker(why)
    for why, mark in misbehaving(store, now):
        if _note_id(platform, mark) not in told:
            return Breaker(why, mark)
    return _held(store, decisions, now)


def flipped(store: Readable, decisions: Sequence[tuple[UseCase, Decision]]) -> str | None:
    """Over 30 % of at least five use cases have another best choice than before; in words, or None."""
    last = {r["use_case"]: (r["to_endpoint"], r["to_tier"]) for r in store.rows(LAST)}
    pairs = [(d.use_case, (d.best.endpoint_id, d.best.tier) if d.best else (None, None)) for _, d in decisions]
    known = [(slug, best) for slug, best in pairs if slug in last]
    moved = [slug for slug, best in known if best != last[slug]]
    if len(known) < LEAST_CASES or len(moved) <= MOST_SHARE * len(known):
        return None
    return f"{len(moved)} of {len(known)} use cases changed their best choice in one run"


def misbehaving(store: Readable, now: datetime) -> list[tuple[str, str]]:
    """Sources of which over 40 % of at least five rows vanished or moved since the last decision: (in words, its mark)."""
    return [
        (
            f"{r['source_id']}: of {r['rows']} rows {r['vanished']} vanished and {r['moved']} moved at once",
            f"{r['source_id']}|{r['sha256']}",
        )
        for r in store.rows(MOVED, {"now": naive(now)})
        if r["rows"] >= LEAST_ROWS and r["vanished"] + r["moved"] > MOST_ROWS_SHARE * r["rows"]
    ]


def _held(store: Store, decisions: Sequence[tuple[UseCase, Decision]], now: datetime) -> Breaker:
    """What an earlier run held and what still holds: released, or waiting on."""
    held = {r["rec"]: r["held_at"] for r in store.rows(HELD, {"why": HELD_BY})}
    still = {d.rec: (c, d) for c, d in decisions if d.verdict == "switch" and d.best is not None and d.rec in held}
    if not still:
        return Breaker()
    opened, newest = min(held[rec] for rec in still), max(held[rec] for rec in still)
    said = store.rows("select max(decided_at) as at from feedback where rec = 'breaker' and verdict = 'release'")[0][
        "at"
    ]
    by_person = said is not None and said >= newest
    apart = naive(now) - newest >= APART
    if by_person or (apart and all(_confirmed(store, d, now) for _, d in still.values())):
        return Breaker(released=still, opened=opened.replace(tzinfo=UTC), by_person=by_person)
    return Breaker(waiting=frozenset(c.slug for c, _ in still.values()))


def _confirmed(store: Store, d: Decision, now: datetime) -> bool:
    """Every rate of the finding is one that a second source, independent of the first, states too."""
    ids = set(d.best.cost.rate_ids) if d.best and d.best.cost else set()
    return bool(ids) and ids == stated_elsewhere(store, ids, now)


def joint_alerts(breaker: Breaker, now: datetime) -> list[Alert]:
    """One message per channel of what the breaker held and what still holds, once it is released."""
    rows, opened = list(breaker.released.values()), breaker.opened
    if opened is None:
        return []
    out = []
    for channel in dict.fromkeys(case.channel for case, _ in rows):
        message = _joint_message([(c, d) for c, d in rows if c.channel == channel], opened, by_person=breaker.by_person)
        out.append(_alert("joint", channel, f"joint|{channel}|{opened.isoformat()}|{now.isoformat()}", message, now))
    return out


def breaker_note(breaker: Breaker, made: Sequence[Alert], platform: str | None, now: datetime) -> Alert:
    """The one message of a run in which teams hear nothing."""
    held = [a for a in made if (a.withheld_because or "").startswith(HELD_BY)]
    lines = [
        f"Why     {breaker.tripped}",
        f"Held    {len(held)} messages for teams; nothing was sent to them",
        *(f"        {a.kind:<10} {a.use_case or '':<24} {a.rec or ''}" for a in held[:20]),
        'Look    undercut sql "select * from quarantine"   undercut sql "select * from sources where outcome = \'failed\'"',
        "Next    undercut feedback breaker release   (one joint message per channel, of what still holds then)",
        "Or      wait: six hours or more later, findings that two sources confirm go out by themselves",
    ]
    message = platform_message("circuit breaker: teams hear nothing of this run", lines)
    why = None if platform else "no platform channel: set UNDERCUT_PLATFORM_CHANNEL"
    alert = _alert("breaker", platform or "", "", message, now, why)
    return alert.model_copy(update={"alert_id": _note_id(platform, breaker.mark or now.isoformat())})


def _note_id(platform: str | None, mark: str) -> str:
    return _id(f"breaker|{platform or ''}|{mark}")


def _id(key: str) -> str:
    return "al-" + hashlib.blake2b(key.encode(), digest_size=5).hexdigest()


def _alert(kind: str, channel: str, key: str, message: Payload, now: datetime, why: str | None = None) -> Alert:
    return Alert(
        alert_id=_id(key), kind=kind, use_case=None, rec=None, channel=channel, created_at=now, message=message,
        withheld_because=why,
    )  # fmt: skip


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
        f"Why now held since {opened:%d %b %Y %H:%M} UTC because our data changed too much at once; {why}",
    ]
    many = "finding" if len(lines) == 1 else "findings"
    return payload(f"🟡 {len(lines)} {many}, held and now released", lines, last=last, more="undercut check")
