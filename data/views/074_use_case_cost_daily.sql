-- One row per use case and day, from its first decision to the last day that prices were read, or that it was registered.
create view use_case_cost_daily as
with decided as (
    select use_case, decided_at::date as day, max_by(cost_usd_per_month, decided_at) * 12 / 365 as usd,
        max_by(coalesce((decision ->> '$.contract')::boolean, false), decided_at) as contract, max_by(rec, decided_at) as rec
    from recommendation group by all
),
spans as (select *, lead(day) over (partition by use_case order by day) as next_day from decided),
away as (  -- out of the registry, from that day until it came back
    select use_case, day, coalesce(back, date '9999-12-31') as back
    from (select use_case, withdrawn, registered_at::date as day, (lead(registered_at) over (partition by use_case order by registered_at))::date as back from use_case)
    where withdrawn
),
read as (select max(day) as day from (select max(fetched_at)::date as day from capture union all select max(day) from decided)),
days as (
    select s.*, unnest(generate_series(s.day::timestamp,
        coalesce(s.next_day - 1, greatest(r.day, s.day))::timestamp, interval 1 day))::date as on_day
    from spans s cross join read r
)
select
    d.use_case, on_day as day, usd as list_cost_usd, case when not contract then usd end as contracted_cost_usd,
    case when not contract then usd end as effective_cost_usd,
    case when usd is null then 'no price is known' when contract then 'on a contract, whose prices are never kept' end as why_empty, rec
from days d where not exists (select 1 from away a where a.use_case = d.use_case and d.on_day >= a.day and d.on_day < a.back);
comment on view use_case_cost_daily is 'What each use case costs a day: an even share (12/365) of the month by the decision that stood, at the calls registered. One row per use case x day. From: use_cases.yaml and the decisions of `undercut check`.';
comment on column use_case_cost_daily.use_case is 'Slug from use_cases.yaml';
comment on column use_case_cost_daily.day is 'Day, UTC';
comment on column use_case_cost_daily.list_cost_usd is 'US dollars a day at list prices; empty: no price is known';
comment on column use_case_cost_daily.contracted_cost_usd is 'US dollars a day at the prices agreed: the list where there is no contract; empty on a contract, whose prices are never kept';
comment on column use_case_cost_daily.effective_cost_usd is 'US dollars a day really paid, as far as it may be kept: the list where there is no contract; empty on one';
comment on column use_case_cost_daily.why_empty is 'Why a cost is empty; empty where none is';
comment on column use_case_cost_daily.rec is 'Decision it comes from: undercut explain REC.cost';
