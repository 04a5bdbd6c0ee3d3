-- One row per endpoint, meter, unit, tier, band, time window and source: what each source says today, believed or not.
create view stated_prices as
select
    endpoint_id as endpoint, meter, tier, context_min_tokens, context_max_tokens, time_window, source_id as source,
    usd_per_mtok, usd_per_unit, unit, standing, valid_from, known_from as seen_at, rate_id
from (
    select * from rate
    where coalesce(valid_from, known_from) < utc(now())::date + 1 and (valid_to is null or valid_to > utc(now())::date)
    qualify row_number() over (
        partition by endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit, source_id
        order by valid_from is not null and valid_to is not null desc, coalesce(valid_from, known_from) desc, known_from desc) = 1)
where not withdrawn;
comment on view stated_prices is 'What each source says today, before one is believed. One row per endpoint x meter x unit x tier x band x time_window x source. From: the pages, feeds and packages themselves; source names which.';
comment on column stated_prices.endpoint is 'Price id: provider:model id, @region unless global';
comment on column stated_prices.meter is 'What is counted: input, cached_input, cache_write, output, ...';
comment on column stated_prices.tier is 'standard, batch, flex or priority';
comment on column stated_prices.context_min_tokens is 'Holds for prompts above this many tokens; empty: from 0';
comment on column stated_prices.context_max_tokens is 'Holds for prompts up to and including this many tokens; empty: no end';
comment on column stated_prices.time_window is 'Hours, UTC, for which the price holds; empty: all hours that no other window covers';
comment on column stated_prices.source is 'Source that states it';
comment on column stated_prices.usd_per_mtok is 'US dollars per million tokens; empty where the meter is not tokens';
comment on column stated_prices.usd_per_unit is 'US dollars per unit; empty where the meter is tokens';
comment on column stated_prices.unit is 'What usd_per_unit counts: request, image, page, second, ...';
comment on column stated_prices.standing is 'official, witnessed (two independent sources), single or disputed';
comment on column stated_prices.valid_from is 'When the source says it began, UTC; empty: it does not say';
comment on column stated_prices.seen_at is 'When we knew it, UTC';
comment on column stated_prices.rate_id is 'Id of the rate, as decisions name it';
