-- What people decided on recommendations: one row per recommendation and verdict, its newest word (of "switched" the first).
-- From "approved" on a forecast is frozen; realised is the saving a call, at the calls of the forecast, 30 days after.
create view decisions as
with said as (
    select *, coalesce((select min(a.decided_at) from feedback a
        where a.rec = f.rec and a.verdict = 'approved' and a.decided_at < f.decided_at), f.decided_at) as frozen_at
    from feedback f where rec like 'rec-%'
    qualify row_number() over (partition by rec, verdict order by case when verdict = 'switched' then epoch(decided_at) else -epoch(decided_at) end) = 1),
state as (
    select *, decision ->> '$.current.tier' as from_tier,
        try_cast(decision ->> '$.current.cost.usd_per_call' as double) as usd_per_call
    from recommendation),
basis as (
    select s.rec, s.verdict, max_by(r.run_id, r.decided_at) as run_id
    from said s join state r on r.rec = s.rec and r.decided_at <= s.frozen_at group by s.rec, s.verdict),
outcome as (
    select s.rec, s.verdict,
        coalesce(max_by(later.usd_per_call, later.decided_at) filter (later.decided_at <= s.decided_at + interval 30 days),
            min_by(later.usd_per_call, later.decided_at) filter (later.decided_at > s.decided_at + interval 30 days)) as usd_per_call
    from said s join basis b using (rec, verdict) join state r on (r.rec, r.run_id) = (b.rec, b.run_id)
    join state later on later.use_case = r.use_case and later.decided_at > r.decided_at
        and (later.from_endpoint, later.from_tier) = (r.to_endpoint, r.to_tier)
    where s.verdict = 'switched' group by s.rec, s.verdict)
select
    s.rec, r.use_case, s.verdict, s.decided_at::date as decided_on, s.decided_by, s.why as reason, try_cast(s.until as date) as until,
    s.reopen_if, r.saving_usd_per_month as forecast_usd_per_month,
    r.cost_usd_per_month * (1 - o.usd_per_call / nullif(r.usd_per_call, 0)) as realised_usd_per_month
from said s
left join basis b using (rec, verdict)
left join state r on (r.rec, r.run_id) = (b.rec, b.run_id)
left join outcome o using (rec, verdict);
comment on view decisions is 'What people decided on recommendations. One row per recommendation x verdict.';
comment on column decisions.rec is 'Id of the recommendation';
comment on column decisions.use_case is 'Slug from use_cases.yaml';
comment on column decisions.verdict is 'approved, rejected, later or switched';
comment on column decisions.decided_on is 'Day of the decision, UTC';
comment on column decisions.decided_by is 'Who said so; empty: not stated';
comment on column decisions.reason is 'Why, in the words of the person; empty: not stated';
comment on column decisions.until is 'Last day it holds; empty: no end';
comment on column decisions.reopen_if is 'Condition that opens it again; empty: none';
comment on column decisions.forecast_usd_per_month is 'Saving as forecast when it was approved, else when it was decided, US dollars a month; empty: none was forecast';
comment on column decisions.realised_usd_per_month is 'Saving 30 days after "switched" (until then: so far), at list prices and the calls of the forecast, US dollars a month; empty: not known yet, never 0 for that';
