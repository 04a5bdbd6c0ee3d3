"""The quarterly review (PRODUCT 4.5): eleven sections for a leader, each from a query on the published copy."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from data.errors import DataMissing, UsageError
from data.store import Readable
from jobs.report.sections import Section, asked, dollars

OLD_DAYS = 90
HEADS = {"spend_usd_per_month": "spend", "unpriced_use_cases": "unpriced", "accepted_usd_per_month": "taken", "declined_usd_per_month": "declined",
         "open_usd_per_month": "proven, open", "unproven_usd_per_month": "not proven"}  # fmt: skip
AGENDA = 5


def quarter_of(text: str | None, today: date) -> tuple[str, date, date]:
    """`2026-Q4` (or today's) -> its name, first day, and last day or today. Raises UsageError."""
    if text is None:
        text = f"{today.year}-Q{(today.month + 2) // 3}"
    found = re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text.strip())
    if not found:
        raise UsageError(f"{text!r} is no quarter.", where="review", fix="write 2026-Q4.")
    year, n = int(found[1]), int(found[2])
    first = date(year, 3 * n - 2, 1)
    last = date(year + (n == 4), 3 * n % 12 + 1, 1) - timedelta(days=1)
    if first > today:
        raise UsageError(f"{text} has not begun.", where="review", fix="write a quarter that has.")
    return f"{year}-Q{n}", first, min(last, today)


def review(store: Readable, first: date, last: date) -> list[Section]:
    """The eleven sections. Raises DataMissing where nothing was decided by the end of the quarter."""
    recs = f"recommendations_asof(date '{last}')"
    if not store.rows(f"select 1 from {recs} limit 1"):
        raise DataMissing(f"nothing was decided by {last}.", where="review", fix="run `undercut check`.")
    return [
        _headline(store, recs, first, last),
        _use_cases(store, recs, last),
        _designs(store, last),
        _caches(store, last),
        _plans(store, last),
        _landscape(store, first, last),
        _forecast(store, last),
        _risk(store, last),
        _register(store, recs, first, last),
        _health(store, last),
        _agenda(store, recs, last),
    ]


def _headline(store: Readable, recs: str, first: date, last: date) -> Section:
    query = f"""select
    (select sum(cost_usd_per_month) from use_cases) as spend_usd_per_month,
    (select count(*) from use_cases where cost_usd_per_month is null and status is distinct from 'withdrawn') as unpriced_use_cases,
    count(*) filter (where opened_at >= date '{first}') as announced,
    sum(saving_usd_per_month) filter (where state in ('approved', 'switched')) as accepted_usd_per_month,
    sum(saving_usd_per_month) filter (where state in ('rejected', 'later')) as declined_usd_per_month,
    sum(saving_usd_per_month) filter (where state = 'open' and verdict = 'switch') as open_usd_per_month,
    sum(saving_usd_per_month) filter (where state = 'open' and verdict in ('wait', 'test')) as unproven_usd_per_month,
    count(*) filter (where state in ('approved', 'switched')) as accepted,
    count(*) filter (where state in ('approved', 'switched', 'rejected')) as answered
from {recs} where to_endpoint is not null"""
    r = store.rows(query)[0]
    rate = (
        f"{r['accepted']} of {r['answered']} answered findings were accepted"
        if r["answered"]
        else "no finding was answered yet, so there is no hit rate"
    )
    lead = (
        f"{_usd(r['spend_usd_per_month'])} a month at list prices; {_usd(r['accepted_usd_per_month'])} of savings accepted, "
        f"{_usd(r['open_usd_per_month'])} proven and open, {_usd(r['unproven_usd_per_month'])} more not yet proven; {rate}."
    )
    return Section("Where the money is", lead, query, [r], names=HEADS)


def _use_cases(store: Readable, recs: str, last: date) -> Section:
    query = f"""select u.use_case, u.endpoint, u.cost_usd_per_month, r.to_endpoint || case when r.to_tier <> 'standard' then ' [' || r.to_tier || ']' else '' end as best_eligible,
    r.best_cost_usd_per_month, r.saving_usd_per_month as gap_usd_per_month, r.evidence, coalesce(u.owner, u.team, u.channel) as owner,
    r.verdict, date_diff('day', r.opened_at, date '{last}') as open_for_days
from use_cases u left join {recs} r on r.rec = u.rec where u.status is distinct from 'withdrawn' order by gap_usd_per_month desc nulls last, use_case"""
    found = store.rows(query)
    old = [r["use_case"] for r in found if (r["open_for_days"] or 0) > OLD_DAYS]
    lead = f"Older than {OLD_DAYS} days: {', '.join(old)}." if old else f"No decision is older than {OLD_DAYS} days."
    return Section("Use cases", lead, query, found, chart="costs")


def _designs(store: Readable, last: date) -> Section:
    query = f"""select use_case, what, verdict, saved_then_usd_per_month, saves_now_usd_per_month, multiple, multiple_low, multiple_high, why
from compromise where as_of = (select max(as_of) from compromise where as_of <= date '{last}') order by use_case, position"""
    lead = (
        "Compromises made for the prices of their day, at today's. keep, drop, try; ask where no figure was registered."
    )
    return asked(store, "Since you designed this", lead, query, empty="no use case registers a design with compromises")


def _caches(store: Readable, last: date) -> Section:
    query = f"""select use_case, name, kind, verdict, hit_rate, break_even_share, returns_usd_per_month, right_until, why
from cache_audit where as_of = (select max(as_of) from cache_audit where as_of <= date '{last}') order by returns_usd_per_month"""
    lead = "A cache's worth falls with every price cut; upkeep is counted."
    return asked(store, "Caches", lead, query, empty="no use case registers a cache")


def _plans(store: Readable, last: date) -> Section:
    query = f"""select use_case, plan, calls_at_most, usd_per_month, bill_usd_per_month, measure
from plan_option where trial and as_of = (select max(as_of) from plan_option where as_of <= date '{last}') order by use_case, position"""
    lead = "What today's bill would buy. Sums, not gains: errors of one model go together, so only a pilot of two runs an item tells."
    return asked(store, "Plans worth a trial", lead, query, empty="one call stays right everywhere")


def _landscape(store: Readable, first: date, last: date) -> Section:
    query = f"""select benchmark, level, before.usd_per_mtok as before_usd_per_mtok, now.usd_per_mtok as now_usd_per_mtok,
    before.usd_per_mtok / now.usd_per_mtok as times_cheaper, before.model_id as before_model, now.model_id as now_model,
    (select list_sort(list_distinct(flatten(list(d.drivers)))) from price_drop d where d.benchmark = now.benchmark and d.level = now.level
        and d.as_of = now.as_of and d.day >= date '{first}') as beside_it
from (select * from band where as_of = (select max(as_of) from band where as_of <= date '{last}') and month = date '{last.replace(day=1)}') now
join (select * from band where as_of = (select max(as_of) from band where as_of <= date '{last}')
    and month = date '{(first - timedelta(days=1)).replace(day=1)}') before using (benchmark, level)
where now.usd_per_mtok < before.usd_per_mtok order by times_cheaper desc, benchmark, level limit 12"""
    pace = store.rows(
        "select benchmark, factor_per_year, factor_low, factor_high from price_trend where definition = 'iv, frontier' and factor_per_year is not null "
        f"and as_of = (select max(as_of) from price_trend where as_of <= date '{last}') order by points desc limit 1"
    )
    held = (
        f" Over its whole record the frontier of {pace[0]['benchmark']} fell {pace[0]['factor_per_year']:.1f} times a year "
        f"({pace[0]['factor_low']:.1f} to {pace[0]['factor_high']:.1f}, definition iv)."
        if pace
        else ""
    )
    return asked(store, "The landscape", f"Floors of quality levels that fell this quarter.{held}", query,
                 empty="no floor fell this quarter", chart="floors")  # fmt: skip


def _forecast(store: Readable, last: date) -> Section:
    query = f"""select use_case, days, best_endpoint, best_usd_per_month, usd_per_month, low_usd_per_month, high_usd_per_month, p_unchanged, advice, why
from forecast where best_usd_per_month is not null and as_of = (select max(as_of) from forecast where as_of <= date '{last}') order by use_case, days"""
    lead = "The cheapest choice that is good enough, foreseen: nothing on most days, then a step. 80 % intervals; how such forecasts did: undercut trends --forecast."
    return asked(store, "Next quarter and after", lead, query, chart="fan")


def _risk(store: Readable, last: date) -> Section:
    query = f"""select retires_on, endpoint, use_case, role, owner, cost_usd_per_month
from retirements where retires_on between date '{last}' and date '{last + timedelta(days=365)}' order by retires_on, use_case"""
    vendors = store.rows(
        "select split_part(endpoint, ':', 1) as provider, sum(cost_usd_per_month) / (select sum(cost_usd_per_month) from use_cases) as share "
        "from use_cases where cost_usd_per_month is not null group by 1 order by 2 desc limit 1"
    )
    odd = store.rows(
        "select count(*) filter (where endpoint like '%preview%') as previews, count(*) filter (where cost_usd_per_month is null) as unpriced from use_cases where status is distinct from 'withdrawn'"
    )[0]
    share = f"{vendors[0]['share']:.0%} of the spend is with {vendors[0]['provider']}. " if vendors else ""
    lead = f"{share}{odd['previews']} on previews, {odd['unpriced']} unpriced. Retirements within a year:"
    return asked(store, "Risk", lead, query, empty="no announced retirement touches a use case")


def _register(store: Readable, recs: str, first: date, last: date) -> Section:
    query = f"""select r.rec, r.use_case, r.state, f.decided_at as decided_on, f.why, r.to_endpoint, r.saving_usd_per_month as then_saving_usd_per_month,
    c.saving_usd_per_month as now_saving_usd_per_month
from {recs} r join (select rec, max(decided_at) as decided_at, max_by(why, decided_at) as why from feedback group by rec) f using (rec)
left join candidates c on c.use_case = r.use_case and c.endpoint = r.to_endpoint and c.tier = r.to_tier
where r.state in ('rejected', 'later', 'approved', 'switched') order by decided_on desc, rec"""
    lead = "What was answered, and what it would save today: a rejection whose saving is gone was right in hindsight."
    return asked(store, "Decisions", lead, query, empty="nothing was answered yet")


def _health(store: Readable, last: date) -> Section:
    query = """select outcome, count(*) as sources, min(data_as_of) as oldest_data, max(data_as_of) as newest_data
from sources group by outcome order by outcome"""
    counts: dict[str, Any] = store.rows(
        "select (select count(*) from quarantine) as held, (select count(*) from unmatched) as unmatched, (select count(*) from board_doubts) as doubts"
    )[0]
    lead = (
        f"{counts['held']} prices held back, {counts['unmatched']} names nobody knows, {counts['doubts']} scores kept out. "
        "A source not read this quarter keeps its last good state, with its age."
    )
    return asked(store, "Data and method", lead, query)


def _agenda(store: Readable, recs: str, last: date) -> Section:
    query = f"""select r.use_case, r.verdict, r.to_endpoint || case when r.to_tier <> 'standard' then ' [' || r.to_tier || ']' else '' end as to_endpoint, r.saving_low_usd_per_month, coalesce(u.owner, u.team, u.channel) as owner,
    date '{last + timedelta(days=14)}' as decide_by, r.rec
from {recs} r join use_cases u using (use_case) where r.state = 'open' order by r.verdict <> 'switch', r.saving_low_usd_per_month desc nulls last limit {AGENDA}"""
    return asked(
        store, "Agenda", f"At most {AGENDA} decisions, the surest money first.", query, empty="nothing is open"
    )


def _usd(usd: float | None) -> str:
    return dollars(usd or 0.0)
