-- Not for people: every rate with the span in which it was known (known_to derived), the base of the price views.
create view rates_known as
select *, lead(known_from) over versions as known_to
from rate
window versions as (
    partition by endpoint_id, meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit,
        coalesce(valid_from, timestamp '0001-01-01')
    order by known_from);
comment on view rates_known is 'Internal: rates with the span in which each was known. Use prices, price_history or price_asof.';
