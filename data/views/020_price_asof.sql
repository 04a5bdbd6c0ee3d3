-- One row per endpoint, meter, unit, tier, band and time window in force on a day, as known at an instant (now if left out); days are UTC's.
-- The same order of trust as recommender/cost/force.py: per source its last word, then the best standing.
create macro price_asof(day, known_at := timestamp '9999-12-31') as table
with applies as (
    select *, valid_from is not null and valid_to is not null as bounded,
        case standing when 'official' then 2 when 'single' then 0 else 1 end as trust,
        coalesce(valid_from, case when known_from < (utc(day)::date + 1)::timestamp then known_from end,
            timestamp '0001-01-01') as begins
    from rate
    where known_from <= utc(known_at)
        and coalesce(valid_from, timestamp '0001-01-01') < (utc(day)::date + 1)::timestamp
        and (valid_to is null or valid_to > utc(day))
), stated as (
    select * from applies
    qualify row_number() over (
        partition by endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit, source_id
        order by bounded desc, begins desc, known_from desc) = 1
), best as (
    select * from stated where not withdrawn
    qualify row_number() over (
        partition by endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit
        order by trust desc, bounded desc, begins desc, known_from desc) = 1
)
select
    r.endpoint_id as endpoint, r.meter, r.tier,
    case when r.context_min_tokens is null and r.context_max_tokens is null then null
        when r.context_max_tokens is null then '>' || r.context_min_tokens
        when coalesce(r.context_min_tokens, 0) = 0 then '<=' || r.context_max_tokens
        else '>' || r.context_min_tokens || ' <=' || r.context_max_tokens end as band,
    r.time_window, r.usd_per_mtok, r.usd_per_unit, r.unit, r.standing, r.valid_from, r.known_from as seen_at,
    r.source_id as source, c.url, r.rate_id
from best r
left join (select source_id, max_by(url, fetched_at) as url from capture group by source_id) c using (source_id);
