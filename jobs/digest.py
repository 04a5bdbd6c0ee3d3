"""The weekly digest of a channel and the roll-up for leaders: read from the tables, written once a week, sent as the rest.

Everything in it is at list prices, as the tables are. What a rule kept back during the week is in it, so none is lost.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from data.records import Alert
from data.registry import Registry
from data.store import Readable, Store
from jobs.alerts import make_alert
from jobs.answered import holding
from jobs.messages.digest import digest_message
from jobs.outbox import enqueue, parked_messages
from jobs.rules import CAP, FIRST_RUN, FOR_DIGEST, passing
from jobs.sightings import SEEN_ONCE, TOO_OLD
from jobs.withdraw import naive

WEEK = timedelta(days=7)
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


@dataclass(frozen=True)
class Digest:
    """What one channel (None: everybody's) hears of a week."""

    channel: str | None
    year_week: tuple[int, int]
    use_cases: int
    spend_usd_per_month: float | None
    unpriced: int
    open: tuple[Open, ...] = ()
    silent: int = 0  # findings open for longer than they are repeated
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


def write_digests(store: Store, registry: Registry, *, now: datetime, platform: str | None) -> list[Alert]:
    """The digest of every channel and the roll-up, each recorded once a week; the new ones."""
    made = []
    year, week, _ = now.isocalendar()
    listening = [c for c in registry.use_cases if c.alerts.mode != "never"]
    for channel in dict.fromkeys(c.channel for c in listening):
        slugs = [c.slug for c in listening if c.channel == channel]
        found = gather(store, slugs, now=now, channel=channel)
        if found.use_cases:
            made.append(
                make_alert("digest", channel, digest_message(found, now=now), now, key=f"{channel}|{year}-{week}")
            )
    everything = gather(store, [c.slug for c in registry.use_cases], now=now, channel=None)
    if platform and everything.use_cases:
        made.append(make_alert("rollup", platform, digest_message(everything, now=now), now, key=f"{year}-{week}"))
    known = {r["alert_id"] for r in store.rows("select alert_id from alert")}
    fresh = [a for a in made if a.alert_id not in known]
    with store.transaction():
        for alert in fresh:
            enqueue(store, alert, run_id=f"digest-{year}-{week}")
    return fresh


def gather(store: Readable, slugs: Sequence[str], *, now: datetime, channel: str | None) -> Digest:
    """The week that ends now, of the use cases named."""
    names, since = list(slugs), naive(now - WEEK)
    last = store.rows(LAST, [names])
    said, over = holding(store, now.date())
    waiting = [
        _open(r, now, over.get(r["rec"]))
        for r in last
        if r["verdict"] in ("switch", "test", "wait") and r["rec"] not in said
    ]
    worth = sorted(waiting, key=lambda o: -(o.saving_usd_per_month or 0))
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
        open=tuple(o for o in worth if o.days <= REMIND.days),
        silent=sum(o.days > REMIND.days for o in worth),
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
