-- One row per endpoint, meter, tier, band and time window in force on a day, as known at an instant (now if left out).
create macro price_asof(day, known_at := timestamp '9999-12-31') as table
with known as (
    select * from rates_known
    where known_from <= known_at::timestamp and (known_to is null or known_to > known_at::timestamp)
), started as (
    select *, row_number() over (
        partition by endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit
        order by coalesce(valid_from, timestamp '0001-01-01') desc, known_from desc) as newest
    from known
    where coalesce(valid_from, timestamp '0001-01-01') < (day::date + 1)::timestamp
)
select
    r.endpoint_id as endpoint, r.meter, r.tier,
    case when r.context_min_tokens is null and r.context_max_tokens is null then null
        when r.context_max_tokens is null then '>' || r.context_min_tokens
        when coalesce(r.context_min_tokens, 0) = 0 then '<=' || r.context_max_tokens
        else '>' || r.context_min_tokens || ' <=' || r.context_max_tokens end as band,
    r.time_window, r.usd_per_mtok, r.usd_per_unit, r.unit, r.standing, r.valid_from, r.known_from as seen_at,
    r.source_id as source, c.url, r.rate_id
from started r
left join (select source_id, max_by(url, fetched_at) as url from capture group by source_id) c using (source_id)
where r.newest = 1 and not r.withdrawn and (r.valid_to is null or r.valid_to > day::timestamp);
