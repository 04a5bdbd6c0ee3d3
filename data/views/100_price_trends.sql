-- How fast prices fall, by definition and benchmark or level; the newest computation.
create view price_trends as
select definition, benchmark, level, factor_per_year, factor_low, factor_high, points, span_days, first_day, last_day,
    first_usd, last_usd, why, as_of
from price_trend where as_of = (select max(as_of) from price_trend);
comment on view price_trends is 'How fast the price of a fixed quality falls. One row per definition and benchmark, by level where it has one. From: the dated prices and scores that ship (data/seed), computed once a day.';
comment on column price_trends.definition is 'i list price of a model; ii lowest price per token at a level; iii lowest cost per task at a level; iv all models, quality held fixed (frontier: only the best for their money)';
comment on column price_trends.benchmark is 'Benchmark the level is measured on';
comment on column price_trends.level is 'Score that must be reached, in the unit of the benchmark; empty: no level';
comment on column price_trends.factor_per_year is 'How many times lower the price is after each year of 365 days; empty: not to be said, see why';
comment on column price_trends.factor_low is 'Low end of the 90 % interval, times a year';
comment on column price_trends.factor_high is 'High end of the 90 % interval, times a year';
comment on column price_trends.points is 'Count of record lows, or prices, the line rests on';
comment on column price_trends.span_days is 'Days from the first to the last';
comment on column price_trends.first_day is 'Day of the first price';
comment on column price_trends.last_day is 'Day of the last price';
comment on column price_trends.first_usd is 'First price, US dollars per million tokens (3 in : 1 out), under iii per task';
comment on column price_trends.last_usd is 'Last price, same unit';
comment on column price_trends.why is 'Why there is no factor, or what it is taken over';
comment on column price_trends.as_of is 'Day it was computed for';
