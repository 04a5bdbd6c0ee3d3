"""What falling prices mean today, kept in tables for SQL, reviews and reports: trends, floors, compromises, caches.

All at list prices: contracts are left out before anything is computed, since these tables are published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from data.registry import Registry
from data.store import Readable, Store
from jobs.ahead import foreseen
from jobs.audit import audit, audit_caches
from jobs.look_back import Progress, Standing, at_list, standing
from jobs.planning import planned
from jobs.trends.drivers import drops
from jobs.trends.forecast import own_cuts, own_lines
from jobs.trends.offers import LEVELS, task_costs
from jobs.trends.table import ours
from recommender.trends import record_lows
from scraper.match import Matcher

WHOLE = ("band", "price_drop")  # a past that seldom changes: kept where it says something new, as of that day


def keep(store: Store, registry: Registry, now: datetime, tell: Progress = lambda _: None) -> bool:
    """Compute and write for the day of `now`, from the facts of the store; False where that day is kept already."""
    day = now.date()
    here = None if kept(store, day) else standing(store, at_list(registry), Matcher.from_package(), now, tell)
    if here is None:
        return False
    tell("measuring how prices fell")
    rows = {"price_trend": list(trend_rows(day)), "band": list(band_rows(day)),
            "compromise": list(compromise_rows(here, day)), "cache_audit": list(cache_rows(here, day)),
            "price_drop": list(drop_rows(day)),
            "forecast": list(forecast_rows(here, day)), "plan_option": list(plan_rows(here, day))}  # fmt: skip
    with store.transaction():
        for table, found in rows.items():
            if table not in WHOLE or not _stands(store, table, found):
                store.insert(table, found)
    return True


def _stands(store: Store, table: str, found: list[dict[str, Any]]) -> bool:
    """Is this what the newest computation said? Thousands of rows that say the same every day are not kept again."""
    newest = store.rows(f'select * exclude (as_of) from "{table}" where as_of = (select max(as_of) from "{table}")')
    return bool(newest) and _shape(newest) == _shape({k: v for k, v in row.items() if k != "as_of"} for row in found)


def _shape(rows: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows)


def kept(store: Readable, day: date) -> bool:
    return bool(store.rows("select 1 from price_trend where as_of = ? limit 1", [day]))


def trend_rows(day: date) -> Iterator[dict[str, Any]]:
    for t in ours(None, day):
        row = t.row()
        days = {"first_day": row.pop("start"), "last_day": row.pop("end")}
        yield {"as_of": day, **row, **days}


def band_rows(day: date) -> Iterator[dict[str, Any]]:
    """The floor of every level at the end of each month since its first price, and of each board's tasks."""
    tasks = {
        (board, level): record_lows([o for o in offers if o.day <= day], level)
        for board, offers in task_costs().items()
        for level in LEVELS["percent"]
    }
    seen = set()
    for line in own_lines():
        lows = [o for o in line.points if o.day <= day]
        costs = tasks.get((line.benchmark, line.level), [])
        for month, end in _months(min([o.day for o in [*lows, *costs]], default=day), day) if lows or costs else ():
            low = next((o for o in reversed(lows) if o.day <= end), None)
            cost = next((o for o in reversed(costs) if o.day <= end), None)
            yield _band(day, line.benchmark, line.level, month, low, cost)
        seen.add((line.benchmark, line.level))
    for (board, level), costs in tasks.items():
        if (board, level) not in seen and costs:
            for month, end in _months(costs[0].day, day):
                yield _band(day, board, level, month, None, next(o for o in reversed(costs) if o.day <= end))


def compromise_rows(here: Standing, day: date) -> Iterator[dict[str, Any]]:
    pace = own_cuts(day).factor_per_year
    for case in here.registry.use_cases:
        found = audit(here, case, pace)
        mid, low, high = found.multiple or (None, None, None)
        for n, c in enumerate(found.compromises):
            yield {"as_of": day, "use_case": case.slug, "position": n, "what": c.what, "designed_on": found.designed_on,
                   "saved_then_usd_per_month": c.saved_then, "saves_now_usd_per_month": c.saves_now,
                   "costs_now_usd_per_month": c.costs_now, "multiple": mid, "multiple_low": low, "multiple_high": high,
                   "verdict": c.verdict, "why": c.why}  # fmt: skip


def cache_rows(here: Standing, day: date) -> Iterator[dict[str, Any]]:
    for case in here.registry.use_cases:
        for c in audit_caches(here, case):
            yield {"as_of": day, "use_case": case.slug, "name": c.name, "kind": c.kind, "hit_rate": c.paid.hit_rate,
                   "break_even_share": c.paid.break_even, "returns_usd_per_month": c.paid.saves_usd_per_month,
                   "verdict": c.paid.verdict, "right_until": c.right_until, "why": c.paid.why}  # fmt: skip


def drop_rows(day: date) -> Iterator[dict[str, Any]]:
    for d in drops(day):
        yield {"as_of": day, "benchmark": d.benchmark, "level": d.level, "day": d.day, "from_model": d.from_model,
               "to_model": d.to_model, "from_usd_per_mtok": d.from_usd, "to_usd_per_mtok": d.to_usd, "hosts": d.hosts,
               "drivers": list(d.drivers)}  # fmt: skip


def forecast_rows(here: Standing, day: date) -> Iterator[dict[str, Any]]:
    for case in here.registry.use_cases:
        for f in foreseen(here, case, day):
            yield {"as_of": day, **vars(f)}


def plan_rows(here: Standing, day: date) -> Iterator[dict[str, Any]]:
    for case in here.registry.use_cases:
        if here.candidates[case.slug][0].cost is None:
            continue
        found = planned(here, case, "today", None, None)
        bill = found.ground.bill_usd * found.ground.calls_per_month
        for n, p in enumerate(found.plans):
            yield {"as_of": day, "use_case": case.slug, "position": n, "plan": p.name, "calls": p.calls,
                   "calls_at_most": p.at_most, "usd_per_month": p.usd_per_month, "bill_usd_per_month": bill,
                   "trial": p.trial, "why": p.says, "measure": p.measure}  # fmt: skip


def _months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """(first day, last day up to `last`) of each month from that of `first`."""
    month = first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=32)).replace(day=1)
        yield month, min(last, following - timedelta(days=1))
        month = following


def _band(day: date, board: str, level: float, month: date, low: Any, cost: Any) -> dict[str, Any]:
    return {"as_of": day, "benchmark": board, "level": level, "month": month, "usd_per_mtok": low.usd if low else None,
            "model_id": low.model if low else None, "cost_usd_per_task": cost.usd if cost else None}  # fmt: skip
