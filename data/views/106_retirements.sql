-- Announced ends of endpoints that a use case runs on, or would fall back on.
create view retirements as
with used as (select use_case, endpoint, owner, team, cost_usd_per_month from use_cases where status is distinct from 'withdrawn'),
stated as (select endpoint_id, retires_on, known_from, source_id, link, checked_on from endpoint),
fallbacks as (
    select distinct use_case, unnest(entry ->> '$.fallbacks[*].endpoint_id') as endpoint
    from (select * from use_case qualify row_number() over (partition by use_case order by registered_at desc) = 1)),
touched as (
    select *, 'in use' as role from used
    union all by name
    select u.use_case, f.endpoint, u.owner, u.team, 'fallback' as role from fallbacks f join used u using (use_case) where f.endpoint <> u.endpoint)
select try_cast(e.retires_on as date) as retires_on, t.endpoint, t.use_case, t.role, t.owner, t.team, t.cost_usd_per_month,
    (select min(b.known_from) from stated b where b.endpoint_id = e.endpoint_id and b.retires_on = e.retires_on) as announced_at,
    e.source_id as source, e.link as url, e.checked_on
from touched t
join (select * from stated qualify row_number() over (partition by endpoint_id order by known_from desc) = 1) e
    on e.endpoint_id = t.endpoint
where try_cast(e.retires_on as date) is not null;
comment on view retirements is 'Ends of endpoints that a use case runs on or falls back on. One row per endpoint x use case. From: the facts of endpoints (source and url name the page) and use_cases.yaml.';
comment on column retirements.retires_on is 'Last day as announced';
comment on column retirements.endpoint is 'Price id';
comment on column retirements.use_case is 'Slug from use_cases.yaml';
comment on column retirements.role is 'in use or fallback';
comment on column retirements.owner is 'Who decides';
comment on column retirements.team is 'Team from use_cases.yaml';
comment on column retirements.cost_usd_per_month is 'Cost now at list prices, US dollars a month; empty: a fallback, or no price';
comment on column retirements.announced_at is 'When this day was first known, UTC';
comment on column retirements.source is 'Who states it: a source id, or the catalogue kept by hand';
comment on column retirements.url is 'Page that states it; empty: none kept';
comment on column retirements.checked_on is 'Day on which a person last compared it with the page; empty: nobody did';
