-- One row per use case, endpoint, tier and variant of the newest decision; none of a withdrawn use case.
create view candidates as
select
    c.use_case, c.endpoint_id as endpoint, c.model_id as model, c.tier, c.variant, c.move, c.eligible,
    array_to_string(c.reasons, '; ') as reason, c.cost_usd_per_month, c.cost_low_usd_per_month,
    c.cost_high_usd_per_month, c.cost_usd_per_call, c.quality, c.quality_low, c.quality_high, c.evidence, c.measured,
    c.p_ok, c.on_frontier, c.rank, c.saving_usd_per_month, c.saving_low_usd_per_month, c.effort_days, c.payback_days,
    c.net_value_usd
from candidate c
join (select use_case, max_by(run_id, decided_at) as run_id from recommendation group by use_case) newest
    using (use_case, run_id)
where c.use_case not in (select use_case from use_cases where status = 'withdrawn');
comment on view candidates is 'Everything weighed in the newest decision. One row per use case x endpoint x tier x variant. From: the newest decision of `undercut check`.';
comment on column candidates.use_case is 'Slug from use_cases.yaml';
comment on column candidates.endpoint is 'Price id: provider:model id';
comment on column candidates.model is 'maker/model; empty: nobody has said which model it is';
comment on column candidates.tier is 'standard, batch, flex or priority';
comment on column candidates.variant is 'Run setting weighed: key=value joined by ;';
comment on column candidates.move is 'What would change: tier, endpoint, sibling or vendor; empty: it is in use';
comment on column candidates.eligible is 'False: a hard constraint or a missing price shuts it out';
comment on column candidates.reason is 'Why it is shut out, every reason';
comment on column candidates.cost_usd_per_month is 'Cost of this workload at list prices, US dollars a month';
comment on column candidates.cost_low_usd_per_month is 'Low end of the cost (80 %), US dollars a month';
comment on column candidates.cost_high_usd_per_month is 'High end of the cost (80 %), US dollars a month';
comment on column candidates.cost_usd_per_call is 'US dollars a call';
comment on column candidates.quality is 'Quality on the tasks of the use case, share 0 to 1';
comment on column candidates.quality_low is 'Low end (80 %), share';
comment on column candidates.quality_high is 'High end (80 %), share';
comment on column candidates.evidence is 'Grade A to D; empty: not enough data';
comment on column candidates.measured is 'False: at least one benchmark is an estimate';
comment on column candidates.p_ok is 'Probability, 0 to 1, that quality stays within what the use case allows; empty: cannot be said';
comment on column candidates.on_frontier is 'True: no eligible choice is both cheaper and better';
comment on column candidates.rank is 'Place among the eligible, from 1: good enough first, then worth a test, each by net value';
comment on column candidates.saving_usd_per_month is 'Central saving against the model in use, US dollars a month';
comment on column candidates.saving_low_usd_per_month is 'Low end of the saving, US dollars a month';
comment on column candidates.effort_days is 'Working days the switch takes';
comment on column candidates.payback_days is 'Days until paid back by the low end; empty: never';
comment on column candidates.net_value_usd is 'Saving over the expected life less effort, evaluation and the risk of going back, US dollars';
