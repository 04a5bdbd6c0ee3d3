-- Every compromise of a design, priced again; the newest computation.
create view compromises as
select use_case, what, verdict, saved_then_usd_per_month, saves_now_usd_per_month, costs_now_usd_per_month, designed_on,
    multiple, multiple_low, multiple_high, why, as_of
from compromise where as_of = (select max(as_of) from compromise) order by use_case, position;
comment on view compromises is 'Recorded compromises of a design at today''s prices. One row per use case and compromise. From: use_cases.yaml and the prices in force, computed once a day.';
comment on column compromises.use_case is 'Slug from use_cases.yaml';
comment on column compromises.what is 'The compromise as registered';
comment on column compromises.verdict is 'keep, drop, try, or ask (no figures registered)';
comment on column compromises.saved_then_usd_per_month is 'What it saved at the design, US dollars a month, as registered';
comment on column compromises.saves_now_usd_per_month is 'What it saves at the price of the model in use (list), US dollars a month';
comment on column compromises.costs_now_usd_per_month is 'Its upkeep, US dollars a month, as registered';
comment on column compromises.designed_on is 'Day of the design';
comment on column compromises.multiple is 'How many times cheaper the quality bought then is now; empty: not known';
comment on column compromises.multiple_low is 'Low end (80 %), times cheaper';
comment on column compromises.multiple_high is 'High end (80 %), times cheaper';
comment on column compromises.why is 'The sum behind the verdict';
comment on column compromises.as_of is 'Day it was computed for';
