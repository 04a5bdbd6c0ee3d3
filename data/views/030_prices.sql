-- One row per endpoint, meter, unit, tier, band and time window: the price in force today.
create view prices as select * from price_asof(utc(now())::date);
comment on view prices is 'Prices in force today. One row per endpoint x meter x unit x tier x band x time_window. From: what pages, feeds and packages stated and was believed; source and url name where.';
comment on column prices.endpoint is 'Price id: provider:model id, @region unless global';
comment on column prices.meter is 'What is counted: input, cached_input, cache_write, output, ...';
comment on column prices.tier is 'standard, batch, flex or priority';
comment on column prices.band is 'Prompt length in tokens for which the price holds; empty: any length';
comment on column prices.time_window is 'Hours, UTC, for which the price holds; empty: all hours that no other window covers';
comment on column prices.usd_per_mtok is 'US dollars per million tokens; empty where the meter is not tokens';
comment on column prices.usd_per_unit is 'US dollars per unit; empty where the meter is tokens';
comment on column prices.unit is 'What usd_per_unit counts: request, image, page, second, ...';
comment on column prices.standing is 'official, witnessed (two independent sources), single or disputed';
comment on column prices.valid_from is 'When the price began to apply, UTC; empty: before anything recorded';
comment on column prices.seen_at is 'When we knew it, UTC';
comment on column prices.source is 'Source that states it';
comment on column prices.url is 'Page, feed or package of the source';
comment on column prices.rate_id is 'Id of the rate, as decisions name it';
