-- The floor of each quality band at the end of each month.
create view bands as
select benchmark, level, month, usd_per_mtok, model_id as model, cost_usd_per_task, as_of
from band where as_of = (select max(as_of) from band);
comment on view bands is 'Lowest price at or above a level. One row per benchmark, level and month. From: the dated prices and scores that ship (data/seed), computed once a day.';
comment on column bands.benchmark is 'Benchmark the level is measured on';
comment on column bands.level is 'Score that must be reached, in the unit of the benchmark';
comment on column bands.month is 'First day of the month; prices are those of its last day';
comment on column bands.usd_per_mtok is 'Lowest price that two records agree on, US dollars per million tokens (3 in : 1 out)';
comment on column bands.model is 'The model at that price';
comment on column bands.cost_usd_per_task is 'Lowest cost of one task, tokens used included, US dollars; empty: no board states it';
comment on column bands.as_of is 'Day since which it is so';
