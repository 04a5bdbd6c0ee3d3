"""What a maker's page no longer states: gone after three good fetches over 72 hours without it (PRODUCT 5.9)."""

from __future__ import annotations

from datetime import datetime

from data.records import Rate
from data.store import Store
from jobs.facts import rate_from_row

FETCHES = 3
HOURS = 72

GONE = f"""
with good as (select fetched_at, sha256 from capture where source_id = $source and outcome <> 'failed'),
said as (
    select p.model_as_written, p.model_id_as_written, p.meter, p.tier, p.context_min_tokens, p.context_max_tokens,
        p.time_window, max(g.fetched_at) as last_said
    from price_claim p join good g on g.sha256 = p.capture where p.source_id = $source group by all),
gone as (
    select s.* exclude last_said from said s join good g on g.fetched_at > s.last_said group by all
    having count(*) >= {FETCHES} and max(g.fetched_at) - min(g.fetched_at) >= interval {HOURS} hours),
newest as (
    select * from rate where source_id = $source and usd_per_mtok is not null
    qualify row_number() over (
        partition by endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window
        order by known_from desc) = 1)
select distinct r.* from newest r join price_claim p on p.claim_id = r.claim_ids[1] join gone g
    on g.model_as_written = p.model_as_written and g.model_id_as_written is not distinct from p.model_id_as_written
    and g.meter = p.meter and g.tier = p.tier and g.context_min_tokens is not distinct from p.context_min_tokens
    and g.context_max_tokens is not distinct from p.context_max_tokens and g.time_window is not distinct from p.time_window
where not r.withdrawn"""


def withdrawn(store: Store, source_id: str, now: datetime) -> list[Rate]:
    """Rates of a source to be marked withdrawn as of now; a failed fetch counts for nothing."""
    rows = store.rows(GONE, {"source": source_id})
    return [rate_from_row(r).model_copy(update={"withdrawn": True, "known_from": now}) for r in rows]
