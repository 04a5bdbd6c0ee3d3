-- What today's bill of each use case buys; the newest computation, without a pilot: sums, not gains.
create view plans as
select use_case, plan, calls, calls_at_most, usd_per_month, bill_usd_per_month, trial, why, measure, as_of
from plan_option where as_of = (select max(as_of) from plan_option) order by use_case, position;
comment on view plans is 'Ways to spend today''s bill on more calls. One row per use case and plan. From: use_cases.yaml and the prices in force, computed once a day.';
comment on column plans.use_case is 'Slug from use_cases.yaml';
comment on column plans.plan is 'What is done';
comment on column plans.calls is 'Model calls per item, count in the mean';
comment on column plans.calls_at_most is 'Model calls per item, count at most';
comment on column plans.usd_per_month is 'Cost at list prices, US dollars a month';
comment on column plans.bill_usd_per_month is 'Today''s bill at list prices, US dollars a month';
comment on column plans.trial is 'True: worth a trial once what is named was measured';
comment on column plans.why is 'What speaks for or against it';
comment on column plans.measure is 'What must be measured first';
comment on column plans.as_of is 'Day it was computed for';
