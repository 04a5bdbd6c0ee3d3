"""The digest of a channel and the roll-ups for leaders: read from the tables, written once a week or day, sent as the rest.

Everything in it is at list prices, as the tables are. What a rule kept back during the week is in it, so none is lost.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from data.records import Alert
from data.registry import Registry
from data.store import Readable, Store
from jobs.alerts import make_alert
from jobs.answered import holding
from jobs.messages.digest import digest_message
from jobs.outbox import enqueue, parked_messages
from jobs.post_days import USUAL, issue_of, last_due, period_of, zone_of
from jobs.rules import CAP, FIRST_RUN, FOR_DIGEST, passing
from jobs.sightings import SEEN_ONCE, TOO_OLD
from jobs.withdraw import naive

WEEK = timedelta(days=7)
LONGEST = timedelta(days=31)  # one digest looks no further back
PROMPT = timedelta(hours=2)  # after its time: an hourly cron is not late
REMIND = 2 * WEEK  # an open finding is in the digests of two weeks, then it is only counted
COMING_DAYS = 90
FRESH_DAYS = 7
CONSTRAINT_USD = 100
IN_THE_SUMMARY = ("cheaper", "retirement", "unpriced")  # what the onboarding summary names of a first run


@dataclass(frozen=True)
class Open:
    """A finding that waits for a person. Money in USD a month at list prices."""

    use_case: str
    verdict: str
    saving_usd_per_month: float | None
    move: str | None
    p_ok: float | None
    evidence: str | None
    days: int
    rec: str
    owner: str
    new_here: bool = False  # its channel has had digests for a week at most


@dataclass(frozen=True)
class Digest:
    """What one channel (None: everybody's) hears of a week."""

    channel: str | None
    year_week: tuple[int, int]
    use_cases: int
    spend_usd_per_month: float | None
    unpriced: int
    open: tuple[Open, ...] = ()
    silent: int = 0  # findings open, and heard of here, for longer than they are repeated
    silent_usd_per_month: float = 0.0  # saved by those of them that pass every bar
    decided: dict[str, int] = field(default_factory=dict)
    withheld: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # headlines of smaller news: rises, falls, new models
    coming: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    rows_moved: int = 0
    rows_touching: int = 0
    sources: int = 0
    fresh: int = 0
    held: int = 0
    quiet: int = 0
    unknown: int = 0  # not enough data to judge
    teams: tuple[tuple[str, int, float | None, float], ...] = ()  # team, use cases, spend, open money; for the roll-up
    parked: tuple[str, ...] = ()  # messages that wait for a person; for the roll-up
    sent: int = 0  # alerts sent so far
    acted: int = 0  # of these, approved or switched
    of: str = ""  # the team whose roll-up it is, with those below it
    day: date | None = None  # of a daily one, in its own zone


@dataclass(frozen=True)
class Edition:
    """Who gets a digest of which use cases, and when. A roll-up is of one team and those below it, or (`of` "") of all."""

    kind: Literal["digest", "rollup"]
    channel: str | None
    slugs: tuple[str, ...]
    schedule: str = USUAL
    of: str = ""

    def key(self, at: datetime) -> str:
        """What is written once: a channel's digest of one week or day, a team's roll-up of one week."""
        about = {"digest": self.channel, "rollup": self.of}[self.kind]
        return f"{about}|{issue_of(self.schedule, at)}" if about else issue_of(self.schedule, at)

    def alert_id(self, at: datetime) -> str:
        return make_alert(self.kind, self.channel or "", {}, at, key=self.key(at)).alert_id


def editions(registry: Registry, platform: str | None) -> list[Edition]:
    """A digest for each channel and schedule in it, a roll-up for each team that is named as parent, and the one of all teams."""
    heard: dict[tuple[str, str], list[str]] = {}
    for c in registry.use_cases:
        if c.alerts.mode != "never":
            heard.setdefault((c.channel, c.alerts.schedule), []).append(c.slug)
    below = {t: registry.under(t.name) for t in registry.teams if any(o.parent == t.name for o in registry.teams)}
    rollups = [
        Edition("rollup", team.channel, tuple(c.slug for c in registry.use_cases if c.team in names), of=team.name)
        for team, names in below.items()
        if team.channel
    ]
    everything = Edition("rollup", platform, tuple(c.slug for c in registry.use_cases))
    return [*(Edition("digest", c, tuple(s), when) for (c, when), s in heard.items()), *rollups, everything]


def write_digests(
    store: Store, registry: Registry, *, now: datetime, platform: str | None, due_only: bool = False
) -> list[Alert]:
    """The digest of every channel and the roll-ups, each recorded once a week (a daily one once a day); the new ones.

    `due_only`: those whose time has come. One that nobody wrote then is made up for where there was one before: a schedule, a
    channel or a parent that is new waits for its time. None is due whose use cases were all decided later: the summary of the
    first run tells of these.
    """
    known = {r["alert_id"] for r in store.rows("select alert_id from alert where kind in ('digest', 'rollup')")}
    fresh = []
    for e in editions(registry, platform):
        at = last_due(e.schedule, now) if due_only else now
        if e.channel is None or e.alert_id(at) in known:
            continue
        earlier = (at - n * period_of(e.schedule) for n in range(1, LONGEST // period_of(e.schedule) + 1))
        late = due_only and now - at > PROMPT and not any(e.alert_id(t) in known for t in earlier)
        if late or (due_only and not _decided_before(store, e, at)):
            continue
        found = gather_edition(store, e, now=now)
        if found.use_cases:
            fresh.append(make_alert(e.kind, e.channel, digest_message(found, now=now), now, key=e.key(at)))
    with store.transaction():
        for alert in fresh:
            enqueue(store, alert, run_id=f"digest-{issue_of(USUAL, now)}")
    return fresh


def gather_edition(store: Readable, e: Edition, *, now: datetime) -> Digest:
    """What it says if written now: of its week or day, and of the time before where the last one did not go out."""
    period = period_of(e.schedule)
    last = store.rows("select max(created_at) as at from alert where kind = ? and channel = ?", [e.kind, e.channel])[0][
        "at"
    ]
    since = max(now - LONGEST, min(now - period, last.replace(tzinfo=UTC) if last else now))
    channel = e.channel if e.kind == "digest" else None
    found = gather(store, e.slugs, now=now, channel=channel, since=since)
    here = now.astimezone(zone_of(e.schedule))
    return replace(
        found,
        of=e.of,
        year_week=here.isocalendar()[:2],
        day=here.date() if period < WEEK else None,
        parked=() if e.of else found.parked,
    )


def _decided_before(store: Readable, e: Edition, at: datetime) -> bool:
    query = "select 1 from recommendation where list_contains(?::varchar[], use_case) and decided_at < ? limit 1"
    return bool(store.rows(query, [list(e.slugs), naive(at)]))


def gather(
    store: Readable, slugs: Sequence[str], *, now: datetime, channel: str | None, since: datetime | None = None
) -> Digest:
    """The time from `since` (a week ago) to now, of the use cases named."""
    names, since = list(slugs), naive(since or now - WEEK)
    last = store.rows(LAST, [names])
    said, over = holding(store, now.date())
    heard = store.rows(HEARD, [channel])[0]["at"]
    shown = max(0, (naive(now) - heard).days) if heard else 0
    waiting = [
        replace(_open(r, now, over.get(r["rec"])), new_here=shown <= WEEK.days)
        for r in last
        if r["verdict"] in ("switch", "test", "wait") and r["rec"] not in said
    ]
    worth = sorted(waiting, key=lambda o: -(o.saving_usd_per_month or 0))
    silent = [o for o in worth if min(o.days, shown) > REMIND.days]
    week_said = store.rows(
        "select f.verdict, count(distinct f.rec) as n from feedback f join recommendation r using (rec) "
        "where f.decided_at >= ? and list_contains(?::varchar[], r.use_case) group by f.verdict",
        [since, names],
    )
    kept = store.rows(
        "select kind, use_case, withheld_because as why, message ->> '$.text' as text from alert "
        "where created_at >= ? and withheld_because is not null and list_contains(?::varchar[], use_case) "
        "order by created_at",
        [since, names],
    )
    spend = [r["cost_usd_per_month"] for r in last if r["cost_usd_per_month"] is not None]
    moved = store.rows(MOVED, [since, naive(now), [r["from_endpoint"] for r in last]])[0]
    health = store.rows(HEALTH, [naive(now - timedelta(days=FRESH_DAYS))])[0]
    told = store.rows(TOLD, [names])[0]
    acting = {"switch", "test", "wait", "unknown"}
    year, week, _ = now.isocalendar()
    return Digest(
        channel=channel,
        year_week=(year, week),
        use_cases=len(last),
        spend_usd_per_month=sum(spend) if spend else None,
        unpriced=len(last) - len(spend),
        open=tuple(o for o in worth if o not in silent),
        silent=len(silent),
        silent_usd_per_month=sum(o.saving_usd_per_month or 0 for o in silent if o.verdict == "switch"),
        decided={r["verdict"]: r["n"] for r in week_said},
        withheld=dict(Counter(_rule(r["why"]) for r in kept if r["why"] != FOR_DIGEST)),
        notes=tuple(dict.fromkeys(_headline(r) for r in kept if _told_here(r))),
        coming=tuple(_coming(store, last, now)),
        constraints=tuple(_constraints(last)),
        rows_moved=moved["n"],
        rows_touching=moved["touching"],
        sources=health["n"],
        fresh=health["fresh"],
        held=store.rows(HELD)[0]["n"],
        quiet=sum(r["verdict"] not in acting for r in last),
        unknown=sum(r["verdict"] == "unknown" for r in last),
        teams=tuple(_teams(last, worth)),
        parked=() if channel else tuple(m["message_id"] for m in parked_messages(store)),
        sent=told["sent"],
        acted=told["acted"],
    )


LAST = """
select r.*, u.team, u.owner, opened.opened_at
from (select * from recommendation where list_contains(?::varchar[], use_case)
      qualify row_number() over (partition by use_case order by decided_at desc) = 1) r
left join (select * from use_case qualify row_number() over (partition by use_case order by registered_at desc) = 1) u
    using (use_case)
join (select rec, min(decided_at) as opened_at from recommendation group by rec) opened using (rec)
order by r.use_case"""
# What each source said a week ago and what it says now, as known then and now: a row moved where one and the same source changed
# its price, not where two sources differ, a standing changed or a price is new.
MOVED = """
with said as (
    select t.late, r.* from (values (false, $1), (true, $2)) t(late, moment)
    join rate r on r.known_from <= t.moment and coalesce(r.valid_from, r.known_from) <= t.moment and (r.valid_to is null or r.valid_to > t.moment)
    qualify row_number() over (
        partition by late, endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit, source_id
        order by valid_from is not null and valid_to is not null desc, coalesce(valid_from, known_from) desc, known_from desc) = 1
), moved as (
    select distinct endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit
    from said where not withdrawn
    group by endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit, source_id
    having count(distinct (usd_per_mtok, usd_per_unit)) > 1)
select count(*) as n, count(*) filter (where list_contains($3::varchar[], endpoint_id)) as touching from moved"""
HEALTH = """
select count(*) as n, count(*) filter (where good >= ?) as fresh
from (select source_id, max(fetched_at) filter (where outcome <> 'failed') as good from capture group by source_id)"""
HELD = "select count(*) as n from held left join held_release r using (claim_id) where r.verdict is null"
# Since when a channel hears of what is open; for a roll-up, since the first one.
HEARD = """
select min(created_at) as at from alert
where if($1 is null, kind = 'rollup', kind in ('digest', 'onboarding') and channel = $1)"""
TOLD = """
select count(distinct a.rec) as sent, count(distinct f.rec) filter (where f.verdict in ('approved', 'switched')) as acted
from alert a left join feedback f using (rec)
where a.kind = 'cheaper' and a.withheld_because is null and list_contains(?::varchar[], a.use_case)"""


def _open(r: Mapping[str, Any], now: datetime, until: date | None) -> Open:
    """`until`: the last day of a "no" or "later" that is over; it is open again since."""
    again = datetime.combine(until, time()) + timedelta(days=1) if until else r["opened_at"]
    days = (naive(now) - max(r["opened_at"], again)).days
    owner = r["owner"] or "nobody named"
    return Open(
        r["use_case"], r["verdict"], r["saving_usd_per_month"], r["move"], r["p_ok"], r["evidence"], days, r["rec"], owner
    )  # fmt: skip


def _told_here(row: Mapping[str, Any]) -> bool:
    """What has no message of its own: by its kind, by the weekly cap, by `mode: digest`, or on a first run where the summary
    does not say it. A saving stands under open money."""
    why, kind = str(row["why"]), row["kind"]
    if why.startswith(FIRST_RUN):
        return kind not in IN_THE_SUMMARY
    return kind != "cheaper" and (why in (FOR_DIGEST, "alerts: {mode: digest}") or why.endswith(CAP))


def _rule(why: str) -> str:
    """A withholding rule without its figures, so that like ones are counted together."""
    if rule := passing(why):
        return {SEEN_ONCE: "seen in one fetch", TOO_OLD: "old prices"}.get(rule, rule)
    for start, words in (("muted", "muted"), ("alerts: {mode", "digest or silence asked for"), (FIRST_RUN, FIRST_RUN)):
        if why.startswith(start):
            return words
    return "weekly cap" if why.endswith(CAP) else why


def _headline(row: Mapping[str, Any]) -> str:
    text = (row["text"] or "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text.lstrip("🔵🟡🔴 ")


def _coming(store: Readable, last: Iterable[Mapping[str, Any]], now: datetime) -> list[str]:
    used: dict[str, list[str]] = {}
    for r in last:
        used.setdefault(r["from_endpoint"], []).append(r["use_case"])
    query = (
        "select endpoint_id, retires_on from endpoint where list_contains(?::varchar[], endpoint_id) "
        "qualify row_number() over (partition by endpoint_id order by known_from desc) = 1 order by retires_on"
    )
    soon, today = (now + timedelta(days=COMING_DAYS)).date().isoformat(), now.date().isoformat()
    return [
        f"{r['endpoint_id']} retires {r['retires_on']} ({', '.join(used[r['endpoint_id']])})"
        for r in store.rows(query, [list(used)])
        if r["retires_on"] and today <= r["retires_on"] <= soon
    ]


def _constraints(last: Iterable[Mapping[str, Any]]) -> list[str]:
    out = []
    for r in last:
        for key, usd in (json.loads(r["decision"]).get("constraint_usd_per_month") or {}).items():
            if usd >= CONSTRAINT_USD:
                out.append((usd, key, r["use_case"]))
    return [f"{key} costs about ${usd:,.0f}/mo on {slug}" for usd, key, slug in sorted(out, reverse=True)]


def _teams(last: Iterable[Mapping[str, Any]], open_: Iterable[Open]) -> list[tuple[str, int, float | None, float]]:
    """Team, its use cases, its spend and its open money (of switches alone), the dearest first."""
    money = {o.use_case: o.saving_usd_per_month or 0.0 for o in open_ if o.verdict == "switch"}
    by: dict[str, list[Mapping[str, Any]]] = {}
    for r in last:
        by.setdefault(r["team"] or r["owner"] or "no team", []).append(r)
    out = []
    for team, rows in by.items():
        known = [r["cost_usd_per_month"] for r in rows if r["cost_usd_per_month"] is not None]
        out.append((team, len(rows), sum(known) if known else None, sum(money.get(r["use_case"], 0.0) for r in rows)))
    return sorted(out, key=lambda x: -(x[2] or 0))
