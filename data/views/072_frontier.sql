-- One row per use case and eligible choice that no other beats on both cost and quality.
create view frontier as
select
    c.use_case, c.endpoint, c.model, c.tier, c.variant, 1000 * c.cost_usd_per_call as cost_usd_per_1k_calls,
    c.cost_usd_per_month, c.quality as score, c.quality_low as score_low, c.quality_high as score_high,
    now.cost_usd_per_month - c.cost_usd_per_month as distance_usd_per_month
from candidates c
left join (select use_case, cost_usd_per_month from candidates where move is null) now using (use_case)
where c.on_frontier;
comment on view frontier is 'Eligible choices that none beats on both cost and quality. One row per use case x endpoint x tier x variant. From: the view candidates.';
comment on column frontier.use_case is 'Slug from use_cases.yaml';
comment on column frontier.endpoint is 'Price id: provider:model id';
comment on column frontier.model is 'maker/model';
comment on column frontier.tier is 'standard, batch, flex or priority';
comment on column frontier.variant is 'Run setting weighed: key=value joined by ;';
comment on column frontier.cost_usd_per_1k_calls is 'Cost of 1,000 calls at list prices, US dollars';
comment on column frontier.cost_usd_per_month is 'Cost of this workload at list prices, US dollars a month';
comment on column frontier.score is 'Quality on the tasks of the use case, share 0 to 1';
comment on column frontier.score_low is 'Low end (80 %), share';
comment on column frontier.score_high is 'High end (80 %), share';
comment on column frontier.distance_usd_per_month is 'Cost of the model in use less the cost here, US dollars a month; negative: dearer than today; empty: today has no price';
