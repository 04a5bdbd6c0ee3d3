-- Which prices changed in the week before the newest data?
select endpoint, meter, tier, lag(usd_per_mtok) over w as before_usd_per_mtok, usd_per_mtok, valid_from, seen_at, source
from price_history where tier = 'standard' and time_window is null and context_min_tokens is null
window w as (partition by endpoint, meter, source order by valid_from nulls first, seen_at)
qualify before_usd_per_mtok <> usd_per_mtok
    and coalesce(valid_from, seen_at) > (select max(data_as_of) from sources) - interval 7 day
order by valid_from desc nulls last, endpoint, meter;
