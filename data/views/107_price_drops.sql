-- Every fall of a floor with what stood beside it.
create view price_drops as
select benchmark, level, day, from_model, to_model, from_usd_per_mtok, to_usd_per_mtok, hosts, drivers, as_of
from price_drop where as_of = (select max(as_of) from price_drop);
comment on view price_drops is 'Falls of the lowest price at a level. One row per benchmark, level and day. From: the dated prices and scores that ship (data/seed), computed once a day.';
comment on column price_drops.benchmark is 'Benchmark the level is measured on';
comment on column price_drops.level is 'Score that must be reached, in the unit of the benchmark';
comment on column price_drops.day is 'Day of the fall';
comment on column price_drops.from_model is 'Cheapest model before';
comment on column price_drops.to_model is 'Cheapest model after';
comment on column price_drops.from_usd_per_mtok is 'Lowest price before, US dollars per million tokens (3 in : 1 out)';
comment on column price_drops.to_usd_per_mtok is 'Lowest price after, same unit';
comment on column price_drops.hosts is 'Count of hosts whose price of the new cheapest model two records agree on; empty: not recorded';
comment on column price_drops.drivers is 'What stood beside the fall, not its proven cause: newer model, smaller model, open weights, more hosts, host competition, list price cut, lower precision, price war (a rival cut 20 % or more within 30 days before); empty: nothing visible';
comment on column price_drops.as_of is 'Day since which it is so';
