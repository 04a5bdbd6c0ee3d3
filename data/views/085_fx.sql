create view fx as
select day, currency, per_eur, per_eur / max(per_eur) filter (where currency = 'USD') over (partition by day) as per_usd
from fx_rate;
comment on view fx is 'Reference exchange rates of the European Central Bank by working day: units of a currency for one euro, and for one US dollar. One row per currency x day. From: the daily feed of the European Central Bank.';
comment on column fx.day is 'The working day it was set on.';
comment on column fx.currency is 'ISO 4217 code.';
comment on column fx.per_eur is 'Units of the currency for one euro.';
comment on column fx.per_usd is 'Units of the currency for one US dollar, by way of the euro.';
