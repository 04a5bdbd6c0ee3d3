-- One row per recommendation in its newest state; recommendations_asof(day) shows the same as of a day.
create macro recommendations_asof(day) as table
select
    r.rec, r.use_case, r.verdict, r.move, r.from_endpoint, r.to_endpoint, r.to_tier, r.cost_usd_per_month,
    r.best_cost_usd_per_month, r.saving_usd_per_month, r.saving_low_usd_per_month, r.p_ok, r.evidence, r.payback_days,
    case when f.verdict is not null and coalesce(f.ends >= least(utc(day)::date, utc(now())::date), true) then f.verdict
        when r.decided_at < r.newest_at or gone.withdrawn then 'closed'
        when r.to_endpoint is null then 'none'
        else 'open' end as state,
    r.reason, r.reasons, r.opened_at, r.decided_at, r.data_as_of, r.rate_ids, r.score_ids
from (select *, min(decided_at) over (partition by rec) as opened_at, max(decided_at) over (partition by use_case) as newest_at
      from recommendation where decided_at < (utc(day)::date + 1)::timestamp
      qualify row_number() over (partition by rec order by decided_at desc) = 1) r
left join (select use_case, max_by(withdrawn, registered_at) as withdrawn from use_case
           where registered_at < (utc(day)::date + 1)::timestamp group by use_case) gone using (use_case)
left join (select rec, verdict, case when verdict in ('later', 'rejected') then
               coalesce(try_cast(until as date), decided_at::date + case verdict when 'later' then 30 else 180 end) end as ends
           from feedback where decided_at < (utc(day)::date + 1)::timestamp
           qualify row_number() over (partition by rec order by decided_at desc) = 1) f using (rec);

create view recommendations as select * from recommendations_asof(date '9999-12-30');
comment on view recommendations is 'Recommendations in all states. One row per recommendation. From: the decisions of `undercut check`; what people answered is in state.';
comment on column recommendations.rec is 'Id, stable while use case, move and target stay';
comment on column recommendations.use_case is 'Slug from use_cases.yaml';
comment on column recommendations.verdict is 'switch, test, wait, keep or unknown';
comment on column recommendations.move is 'What changes: tier, endpoint, sibling or vendor; empty: nothing';
comment on column recommendations.from_endpoint is 'Price id in use';
comment on column recommendations.to_endpoint is 'Price id proposed; empty: none';
comment on column recommendations.to_tier is 'Tier proposed';
comment on column recommendations.cost_usd_per_month is 'Cost now at list prices, US dollars a month';
comment on column recommendations.best_cost_usd_per_month is 'Cost of the proposed choice, US dollars a month';
comment on column recommendations.saving_usd_per_month is 'Central estimate of the saving, US dollars a month';
comment on column recommendations.saving_low_usd_per_month is 'Low end (10th percentile) of the saving, US dollars a month';
comment on column recommendations.p_ok is 'Probability, 0 to 1, that quality stays within what the use case allows';
comment on column recommendations.evidence is 'Grade A to D (A: own evaluation of 200 cases or more)';
comment on column recommendations.payback_days is 'Days until effort and evaluation are paid back by the low end';
comment on column recommendations.state is 'open, none, closed (decided anew, or the use case is withdrawn), or the verdict a person gave, while it holds';
comment on column recommendations.reason is 'Why, in one line';
comment on column recommendations.reasons is 'Everything worth knowing, one line each';
comment on column recommendations.opened_at is 'When it was first decided, UTC';
comment on column recommendations.decided_at is 'When it was last decided, UTC';
comment on column recommendations.data_as_of is 'Day of the newest price it rests on, UTC';
comment on column recommendations.rate_ids is 'Ids of the rates it used';
comment on column recommendations.score_ids is 'Ids of the scores it used';
