-- One row per endpoint, meter, unit, tier, band, time window and period, as known now: the timeline of what price_asof answers.
create view price_history as
select
    endpoint_id as endpoint, meter, tier, context_min_tokens, context_max_tokens, time_window, usd_per_mtok,
    before_usd_per_mtok, usd_per_unit, unit, standing, valid_from, valid_to, known_from as seen_at, source_id as source, rate_id
from price_periods;
comment on view price_history is 'Every period of every price, as known now. One row per endpoint x meter x unit x tier x band x time_window x period. From: what pages, feeds and packages stated and was believed; source names where.';
comment on column price_history.endpoint is 'Price id: provider:model id, @region unless global';
comment on column price_history.meter is 'What is counted: input, cached_input, cache_write, output, ...';
comment on column price_history.tier is 'standard, batch, flex or priority';
comment on column price_history.context_min_tokens is 'Holds for prompts above this many tokens; empty: from 0';
comment on column price_history.context_max_tokens is 'Holds for prompts up to and including this many tokens; empty: no end';
comment on column price_history.time_window is 'Hours, UTC, for which the price holds; empty: all hours that no other window covers';
comment on column price_history.usd_per_mtok is 'US dollars per million tokens; empty where the meter is not tokens';
comment on column price_history.before_usd_per_mtok is 'Price of the period before, US dollars per million tokens; empty: none known';
comment on column price_history.usd_per_unit is 'US dollars per unit; empty where the meter is tokens';
comment on column price_history.unit is 'What usd_per_unit counts: request, image, page, second, ...';
comment on column price_history.standing is 'official, witnessed (two independent sources), single or disputed';
comment on column price_history.valid_from is 'When it began, UTC: as stated, else when it was first seen; empty: before anything recorded';
comment on column price_history.valid_to is 'When it ended, UTC, excluded: the next price, the stated end or the day it was no longer listed; empty: still open';
comment on column price_history.seen_at is 'When we knew it, UTC';
comment on column price_history.source is 'Source that states it';
comment on column price_history.rate_id is 'Id of the rate, as decisions name it';
