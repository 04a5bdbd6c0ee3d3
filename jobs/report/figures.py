"""The charts of the report: each a query on the published copy, its rows, and words for who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator

from data.store import Readable
from data.tasks import load_benchmarks
from jobs.report.figure import Figure, sql_text
from jobs.report.price_history import price_history
from jobs.report.sections import dollars
from jobs.trends.published import published_series

SHOWN_LEVELS = {"MMLU": 64.8, "GPQA Diamond": 50.0}  # published lines beside ours: GPT-3.5's and GPT-4's level
OURS = (
    ("arena_text_full", 1200.0),
    ("arena_text_full", 1300.0),
    ("hub_gpqa_diamond", 50.0),
    ("hub_gpqa_diamond", 70.0),
)


def figures(store: Readable) -> list[Figure]:
    """All charts, frontier and price history once for each use case that has them."""
    return [
        _costs(store),
        _savings(store),
        *_frontiers(store),
        *_histories(store),
        _floors(store),
        _fan(store),
        _health(store),
    ]


def _costs(store: Readable) -> Figure:
    query = """select use_case, 'now' as kind, cost_usd_per_month as usd_per_month from use_cases where cost_usd_per_month is not null
union all select use_case, 'recommended', best_cost_usd_per_month from use_cases where best_cost_usd_per_month is not null
order by use_case, kind"""
    rows = store.rows(query)
    total = sum(r["usd_per_month"] for r in rows if r["kind"] == "now")
    return Figure("costs", "What each use case costs", "costs", query, rows, f"Bars by use case: cost now, together {dollars(total)} a month, beside the recommended choice where there is one.")  # fmt: skip


def _savings(store: Readable) -> Figure:
    query = """select case when state in ('approved', 'switched') then 'accepted' when state in ('rejected', 'later') then 'declined'
    when verdict = 'switch' then 'open, proven' else 'open, not yet proven' end as state, sum(saving_usd_per_month) as usd_per_month
from recommendations where to_endpoint is not null and state <> 'closed' group by 1 order by 1"""
    rows = store.rows(query)
    said = ", ".join(f"{r['state']} {dollars(r['usd_per_month'])}" for r in rows)
    return Figure(
        "savings",
        "Savings, by what became of them",
        "savings",
        query,
        rows,
        f"Bars of savings a month: {said}.",
        "no saving was announced yet",
    )


def _frontiers(store: Readable) -> Iterator[Figure]:
    for case in store.rows(
        "select use_case, rec from use_cases where status is distinct from 'withdrawn' order by cost_usd_per_month desc nulls last"
    ):
        slug = case["use_case"]
        query = f"""select c.endpoint || case when c.tier <> 'standard' then ' [' || c.tier || ']' else '' end as endpoint, c.cost_usd_per_call * 1000 as usd_per_1k, c.quality, c.quality_low, c.quality_high, c.on_frontier,
    c.cost_usd_per_call * 1000 * c.cost_low_usd_per_month / c.cost_usd_per_month as usd_low,
    c.cost_usd_per_call * 1000 * c.cost_high_usd_per_month / c.cost_usd_per_month as usd_high,
    case when c.move is null then 'in use' when c.endpoint = r.to_endpoint and c.tier = r.to_tier then 'recommended'
        when c.on_frontier then 'frontier' else 'eligible' end as role
from candidates c left join recommendations r on r.use_case = c.use_case and r.state = 'open'
where c.use_case = {sql_text(slug)} and (c.eligible or c.move is null) and c.quality is not null and c.cost_usd_per_month > 0
qualify role <> 'eligible' or row_number() over (partition by role order by c.net_value_usd desc nulls last, c.endpoint) <= 60
order by role, usd_per_1k, c.endpoint"""
        rows = store.rows(query)
        roles = {r["role"]: r for r in reversed(rows)}
        said = "; ".join(
            f"{role} {r['endpoint']} at {dollars(r['usd_per_1k'])}, quality {r['quality']:.2f}"
            for role, r in roles.items()
            if role != "eligible"
        )
        yield Figure(f"frontier-{slug}", f"{slug}: quality against cost", "frontier", query, rows,
                     f"Each dot an eligible choice with its 80 % intervals: {said}.",
                     "nobody measured the quality of an eligible choice for this task")  # fmt: skip


def _histories(store: Readable) -> Iterator[Figure]:
    """The price history of every use case, dearest first."""
    for case in store.rows(
        "select use_case from use_cases where status is distinct from 'withdrawn' order by cost_usd_per_month desc nulls last"
    ):
        yield price_history(store, case["use_case"])


def _floors(store: Readable) -> Figure:
    wanted = " or ".join(f"(benchmark = {sql_text(b)} and level = {level})" for b, level in OURS)
    query = f"""select month as day, usd_per_mtok, benchmark, level
from bands where usd_per_mtok is not null and ({wanted}) order by benchmark, level, day"""
    names = load_benchmarks()
    rows = [{**r, "level": f"{names[r['benchmark']].name} {r['level']:g}", "whose": "ours"} for r in store.rows(query)]
    for s in published_series():
        if SHOWN_LEVELS.get(s.benchmark) == s.level:
            label = f"{s.benchmark} {s.level:g} (published)"
            rows += [{"day": o.day, "usd_per_mtok": o.usd, "level": label, "whose": "published"} for o in s.points]
    return Figure("floors", "Price of a quality level", "floors", query, rows,
                  "Steps falling on a log axis: the lowest price of each level by our own record, dashed the lines published by Epoch AI in March 2025.")  # fmt: skip


def _fan(store: Readable) -> Figure:
    query = """select use_case, 0 as days, max(best_usd_per_month) as usd_per_month, max(best_usd_per_month) as low_usd_per_month,
    max(best_usd_per_month) as high_usd_per_month from forecasts where best_usd_per_month is not null group by use_case
union all select use_case, days, usd_per_month, low_usd_per_month, high_usd_per_month from forecasts where best_usd_per_month is not null
order by use_case, days"""
    rows = store.rows(query)
    said = "; ".join(
        f"{r['use_case']} {dollars(r['low_usd_per_month'])} to {dollars(r['high_usd_per_month'])}"
        for r in rows
        if r["days"] == 365
    )
    return Figure(
        "fan",
        "The cheapest good choice, foreseen",
        "fan",
        query,
        rows,
        f"Fans of 80 % intervals over a year; in 12 months: {said}.",
    )


def _health(store: Readable) -> Figure:
    query = """select source, outcome, date_diff('day', data_as_of, (select max(data_as_of) from sources)) as days
from sources where data_as_of is not null order by days desc, source"""
    rows = store.rows(query)
    old = sum(r["days"] > 90 for r in rows)
    return Figure(
        "health",
        "How old each source's data are",
        "health",
        query,
        rows,
        f"A dot a source: {len(rows)} sources, {old} with data older than 90 days.",
    )
