-- One row per use case ever registered, with its newest decision; one that left the registry is withdrawn and costs nothing here.
create view use_cases as
select
    u.use_case, u.title, u.owner, u.team, u.channel, u.endpoint_id as endpoint, u.model_id as model, u.tier,
    case when not u.withdrawn then r.cost_usd_per_month end as cost_usd_per_month,
    case when not u.withdrawn then r.best_cost_usd_per_month end as best_cost_usd_per_month,
    case when u.withdrawn then 'withdrawn' else r.verdict end as status,
    case when u.withdrawn then 'not in the registry since ' || u.registered_at::date else r.reason end as reason,
    case when not u.withdrawn then r.rec end as rec, r.decided_at, r.data_as_of
from (select * from use_case qualify row_number() over (partition by use_case order by registered_at desc) = 1) u
left join (select * from recommendation qualify row_number() over (partition by use_case order by decided_at desc) = 1) r using (use_case);
comment on view use_cases is 'Use cases with their newest decision, withdrawn ones without costs. One row per use case. From: use_cases.yaml and the newest decision of `undercut check`.';
comment on column use_cases.use_case is 'Slug from use_cases.yaml';
comment on column use_cases.title is 'Name for people';
comment on column use_cases.owner is 'Who decides';
comment on column use_cases.team is 'Team from use_cases.yaml';
comment on column use_cases.channel is 'Slack channel';
comment on column use_cases.endpoint is 'Price id of the model in use';
comment on column use_cases.model is 'maker/model in use';
comment on column use_cases.tier is 'Service tier in use';
comment on column use_cases.cost_usd_per_month is 'Cost now at list prices, US dollars a month of 365/12 days; empty: no price, or withdrawn';
comment on column use_cases.best_cost_usd_per_month is 'Cost of the recommended choice, US dollars a month; empty: none recommended';
comment on column use_cases.status is 'switch, test, wait, keep or unknown; withdrawn: no longer in the registry; empty: not decided yet';
comment on column use_cases.reason is 'Why, in one line';
comment on column use_cases.rec is 'Id of the recommendation; empty: not decided yet, or withdrawn';
comment on column use_cases.decided_at is 'When it was decided, UTC';
comment on column use_cases.data_as_of is 'Day of the newest price the decision rests on, UTC';
