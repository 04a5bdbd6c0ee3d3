-- One row per registered use case, with its newest decision.
create view use_cases as
select
    u.use_case, u.title, u.owner, u.team, u.channel, u.endpoint_id as endpoint, u.model_id as model, u.tier,
    r.cost_usd_per_month, r.best_cost_usd_per_month, r.verdict as status, r.reason, r.rec, r.decided_at, r.data_as_of
from (select * from use_case qualify row_number() over (partition by use_case order by registered_at desc) = 1) u
left join (select * from recommendation qualify row_number() over (partition by use_case order by decided_at desc) = 1) r using (use_case)
where not u.withdrawn;
comment on view use_cases is 'Registered use cases with their newest decision. One row per use case. From: use_cases.yaml and the newest decision of `undercut check`.';
comment on column use_cases.use_case is 'Slug from use_cases.yaml';
comment on column use_cases.title is 'Name for people';
comment on column use_cases.owner is 'Who decides';
comment on column use_cases.team is 'Team from use_cases.yaml';
comment on column use_cases.channel is 'Slack channel';
comment on column use_cases.endpoint is 'Price id of the model in use';
comment on column use_cases.model is 'maker/model in use';
comment on column use_cases.tier is 'Service tier in use';
comment on column use_cases.cost_usd_per_month is 'Cost now at list prices, US dollars a month of 365/12 days; empty: no price';
comment on column use_cases.best_cost_usd_per_month is 'Cost of the recommended choice, US dollars a month; empty: none recommended';
comment on column use_cases.status is 'switch, test, wait, keep or unknown';
comment on column use_cases.reason is 'Why, in one line';
comment on column use_cases.rec is 'Id of the recommendation';
comment on column use_cases.decided_at is 'When it was decided, UTC';
comment on column use_cases.data_as_of is 'Day of the newest price the decision rests on, UTC';
