-- What people decided: one row per recommendation and verdict, its newest word (of "switched" the first), and one per entry
-- of `decisions` in use_cases.yaml; where an entry names the recommendation, its words stand in place of what was pressed.
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
    where s.verdict = 'switched' group by s.rec, s.verdict),
pressed as (
    select s.rec, r.use_case, s.verdict, s.decided_at::date as decided_on, s.decided_by, s.why as reason,
        try_cast(s.until as date) as until, s.reopen_if, r.saving_usd_per_month as forecast_usd_per_month,
        r.cost_usd_per_month * (1 - o.usd_per_call / nullif(r.usd_per_call, 0)) as realised_usd_per_month,
        coalesce(r.decision ->> '$.best.model_id', r.to_endpoint) as model
    from said s
    left join basis b using (rec, verdict)
    left join state r on (r.rec, r.run_id) = (b.rec, b.run_id)
    left join outcome o using (rec, verdict)),
written as (
    select use_case, w ->> '$.rec' as rec, w ->> '$.verdict' as verdict, try_cast(w ->> '$.date' as date) as decided_on,
        w ->> '$.by' as decided_by, w ->> '$.why' as reason, w ->> '$.reopen_if' as reopen_if, w ->> '$.model' as model,
        coalesce(try_cast(w ->> '$.until' as date), case w ->> '$.verdict' when 'rejected' then try_cast(w ->> '$.date' as date) + 180
            when 'approved' then try_cast(w ->> '$.date' as date) + 180 when 'later' then try_cast(w ->> '$.date' as date) + 30 end) as until
    from (select use_case, unnest(entry -> '$.rulings[*]') as w
        from (select * from use_case qualify row_number() over (partition by use_case order by registered_at desc) = 1)
        where not withdrawn))
select
    coalesce(p.rec, w.rec) as rec, coalesce(w.use_case, p.use_case) as use_case, coalesce(w.verdict, p.verdict) as verdict,
    coalesce(w.decided_on, p.decided_on) as decided_on, coalesce(w.decided_by, p.decided_by) as decided_by,
    coalesce(w.reason, p.reason) as reason, coalesce(w.until, p.until) as until, coalesce(w.reopen_if, p.reopen_if) as reopen_if,
    p.forecast_usd_per_month, p.realised_usd_per_month, coalesce(w.model, p.model) as model,
    case when w.use_case is null then 'feedback' else 'use_cases.yaml' end as written_in
from pressed p full join written w on w.rec = p.rec and w.verdict = p.verdict and w.use_case = p.use_case;
comment on view decisions is 'What people decided, by feedback or in use_cases.yaml. One row per recommendation x verdict, and per entry of `decisions` that names none. From: `undercut feedback`, the buttons in Slack, and `decisions` in use_cases.yaml; written_in says which.';
comment on column decisions.rec is 'Id of the recommendation; empty: an entry of use_cases.yaml that names none';
comment on column decisions.use_case is 'Slug from use_cases.yaml';
comment on column decisions.verdict is 'approved, rejected, later or switched';
comment on column decisions.decided_on is 'Day of the decision, UTC';
comment on column decisions.decided_by is 'Who said so; empty: not stated';
comment on column decisions.reason is 'Why, in the words of the person; empty: not stated';
comment on column decisions.until is 'Last day it holds; empty: no end';
comment on column decisions.reopen_if is 'Condition that opens it again; empty: none';
comment on column decisions.forecast_usd_per_month is 'Saving as forecast when it was approved, else when it was decided, US dollars a month; empty: none was forecast';
comment on column decisions.realised_usd_per_month is 'Saving 30 days after "switched" (until then: so far), at list prices and the calls of the forecast, US dollars a month; empty: not known yet, never 0 for that';
comment on column decisions.model is 'Model that it is about';
comment on column decisions.written_in is 'use_cases.yaml where an entry there says so (it wins), else feedback';
