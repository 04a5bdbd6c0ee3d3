"""A history for benches: years of daily checks of thousands of endpoints, in the private tables, the same on every machine.

How often a price moves, and how many of its meters with it, is measured in the recorded history beside the project
(`../shared/corpus/prices/history.csv.gz`, its widest record); where there is none, the figures of November 2026 stand.
Pages are of 150 providers, from one with hundreds of endpoints to many with a few. A page that changed states all its
prices again, as in a real cycle; a page that did not adds one capture and one run. One mirror repeats two fifths of the
prices, ten days late, and errs on one in twenty.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from data.store import Store

RECORD = Path(__file__).parents[3] / "shared" / "corpus" / "prices" / "history.csv.gz"
WIDEST = "models.dev"
METERS = ("input", "cached_input", "cache_write", "output")
END = date(2026, 11, 24)


@dataclass(frozen=True)
class Pace:
    """Price changes an endpoint and year, and the meters that move with one."""

    changes_per_year: float = 0.389
    meters_per_change: float = 1.94


def pace(record: Path = RECORD) -> Pace:
    """What the widest record measured; only figures that stood on both sides count, a new meter is no change."""
    if not record.exists():
        return Pace()
    seen: dict[tuple[str, str], list[tuple[date, tuple[str, ...]]]] = defaultdict(list)
    with gzip.open(record, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["source"] == WIDEST:
                key = row["provider"], row["model_id"]
                seen[key].append(
                    (date.fromisoformat(row["observed_on"]), tuple(row[f"{m}_usd_per_mtok"] for m in METERS))
                )
    last = max(day for states in seen.values() for day, _ in states)
    years, changes, meters = 0.0, 0, 0
    for states in seen.values():
        states.sort()
        years += (last - states[0][0]).days / 365
        for (_, before), (_, after) in pairwise(states):
            moved = sum(a != b for a, b in zip(before, after, strict=True) if a and b)
            changes += moved > 0
            meters += moved
    return Pace(changes / years, meters / changes)


def fill(store: Store, *, years: int, endpoints: int = 5000, providers: int = 150) -> None:
    """Write the history into an empty store. 64-bit hashes are the dice, so that a run is repeated exactly."""
    p, days, run = pace(), years * 365, store.con.execute
    start = f"(date '{END}' - {days})"
    dice = "(hash({}) % 1000000 / 1e6)"
    with store.transaction():
        run(f"""create temp table e as select i, least(floor({providers} * pow(i / {endpoints}, 2.5)), {providers} - 1)::int as provider,
            case i when 0 then 'openai:gpt-5.6-terra' when 1 then 'zhipuai:GLM-5'
                else 'host' || least(floor({providers} * pow(i / {endpoints}, 2.5)), {providers} - 1)::int || ':maker/model-' || i end as endpoint_id,
            'maker/model-' || i % {max(1, endpoints // 3)} as model_id from range({endpoints}) t(i)""")
        run(
            """create temp table m as select * from (values ('input', 1.0), ('output', 4.0), ('cached_input', 0.1), ('cache_write', 1.25)) t(meter, factor)"""
        )
        run(f"""create temp table change as select i, d from range({endpoints}) a(i), range(1, {days} + 1) b(d)
            where {dice.format("i, d, 'moves'")} < {p.changes_per_year / 365} or (i < 2 and d % 100 = 0)""")
        run(f"""create temp table price as
            select e.i, e.provider, e.endpoint_id, meter, d, (({start} + d::int)::timestamp + interval 6 hour) as known,
                round(factor * 0.1 * pow(10, 2 * {dice.format("e.i")}) * (0.5 + {dice.format("e.i, meter, d, 'usd'")}), 6)::decimal(18, 9) as usd
            from e, m, (select i, 0 as d from e union all select * from change) c
            where c.i = e.i and (meter <> 'cache_write' or e.i % 2 = 0)
                and (d = 0 or {dice.format("e.i, meter, d, 'meter'")} < {p.meters_per_change / 3.5})""")
        run("""insert into rate by name select substr(md5(endpoint_id || meter || d), 1, 16) as rate_id, endpoint_id, meter,
            'standard' as tier, 'global' as region, usd as usd_per_mtok, known as known_from, 'official' as standing,
            'page-' || provider as source_id, [substr(sha256(endpoint_id || meter || d), 1, 16)] as claim_ids, false as withdrawn from price""")
        run(f"""insert into rate by name select substr(md5('mirror' || endpoint_id || meter || d), 1, 16) as rate_id, endpoint_id, meter,
            'standard' as tier, 'global' as region, case when {dice.format("i, meter, 'wrong'")} < 0.05 then usd * 1.2 else usd end as usd_per_mtok,
            known + interval 10 day as known_from, 'single' as standing, 'mirror' as source_id,
            [substr(sha256(endpoint_id || meter || d), 1, 16)] as claim_ids, false as withdrawn from price where i % 5 < 2""")
        run("create temp table page as select distinct provider, d from price")
        run(f"""insert into price_claim by name
            select substr(sha256(s.endpoint_id || s.meter || s.d), 1, 16) as claim_id, 'page-' || s.provider as source_id,
                sha256('page-' || s.provider || '@' || s.d) as capture, s.endpoint_id as model_as_written, s.meter, 'standard' as tier,
                v.usd as amount, 'USD' as currency, '1M tokens' as per, v.usd as usd_per_mtok, true as list_price, []::varchar[] as conditions,
                s.endpoint_id || ' $' || v.usd || ' / 1M tokens' as quote, 'table 1, row ' || s.i as locator,
                (({start} + s.d::int)::timestamp + interval 6 hour) as known_from
            from (select g.provider, g.d, e.i, e.endpoint_id, meter from page g join e using (provider), m where meter <> 'cache_write' or e.i % 2 = 0) s
            asof join price v on v.i = s.i and v.meter = s.meter and v.d <= s.d order by known_from, source_id""")
        run(f"""insert into capture by name select 'page-' || provider as source_id, 'https://host' || provider || '.example/pricing' as url,
                (({start} + d::int)::timestamp + interval 6 hour) as fetched_at, 200 as http_status,
                sha256('page-' || provider || '@' || max(g.d) over (partition by provider order by d)) as sha256, 40000 as bytes,
                'http' as renderer, case when d = 0 then 'new' when g.d is null then 'unchanged' else 'changed' end as outcome
            from (select provider, d from (select distinct provider from e), range({days} + 1) t(d)) left join page g using (provider, d) order by fetched_at""")
        run("""insert into run by name select source_id || '@' || fetched_at as run_id, 'scrape' as kind, source_id, fetched_at as started_at,
            fetched_at as finished_at, outcome from capture""")
        run(
            f"insert into model by name select distinct model_id, 'maker' as maker, model_id as name, 'catalogue' as source_id, {start}::timestamp as known_from from e"
        )
        run(f"""insert into endpoint by name select endpoint_id, model_id, 'host' || provider as provider, 'global' as region, 'catalogue' as source_id,
            case when i % 7 = 3 then (date '{END}' + (i % 400)::int)::varchar end as retires_on, {start}::timestamp as known_from from e""")
        _decide(store, days, start, dice)
        for table in ("e", "m", "change", "price", "page"):
            run(f"drop table {table}")


def _decide(store: Store, days: int, start: str, dice: str) -> None:
    """Twelve use cases of four teams; a decision a month each, with every endpoint weighed."""
    run = store.con.execute
    run(
        "create temp table u as select n, case n when 0 then 'code-review' else 'case-' || n end as use_case from range(12) t(n)"
    )
    run(f"""insert into use_case by name select use_case, use_case as title, 'team-' || n % 4 as team, '@owner' as owner, '#costs' as channel,
        e.endpoint_id, e.model_id, 'standard' as tier, '{{}}'::json as tasks, '{{}}'::json as entry, use_case as entry_sha,
        {start}::timestamp as registered_at, false as withdrawn from u join e on e.i = 3 + 7 * n""")
    run(f"""create temp table c as select n, use_case, d, substr(md5(use_case || d), 1, 12) as run_id,
        ({start} + d::int)::timestamp + interval 7 hour as decided_at from u, range(1, {days} + 1, 30) t(d)""")
    run(f"""insert into candidate by name select run_id, use_case, e.endpoint_id, e.model_id, 'standard' as tier, '' as variant, 'vendor' as move,
        {dice.format("e.i, n")} < 0.6 as eligible, ['needs json_schema'] as reasons, 5000 * {dice.format("e.i, n, d // 300")} as cost_usd_per_month,
        0.4 + 0.4 * {dice.format("e.model_id, n")} as quality, 0.35 + 0.4 * {dice.format("e.model_id, n")} as quality_low,
        0.45 + 0.4 * {dice.format("e.model_id, n")} as quality_high, 'B' as evidence, true as measured, {dice.format("e.i, n, 'ok'")} as p_ok,
        e.i % 100 = 0 as on_frontier, e.i as rank from c, e order by decided_at""")
    run(f"""insert into recommendation by name select run_id, 'rec-' || substr(run_id, 1, 6) as rec, use_case, decided_at, decided_at as data_as_of,
        'switch' as verdict, 'cheaper' as reason, ['cheaper'] as reasons, 'vendor' as move, e.endpoint_id as from_endpoint,
        'host9:maker/model-1700' as to_endpoint, 'standard' as to_tier, 3000.0 as cost_usd_per_month, 1000.0 as best_cost_usd_per_month,
        2000 * {dice.format("n, d")} as saving_usd_per_month, 1000 * {dice.format("n, d")} as saving_low_usd_per_month, 0.9 as p_ok, 'B' as evidence,
        []::varchar[] as rate_ids, []::varchar[] as score_ids, json_object('text', repeat(use_case, 400)) as decision, run_id as decision_sha
        from c join e on e.i = 3 + 7 * n""")
    run("drop table u; drop table c")
