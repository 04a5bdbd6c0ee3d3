-- Where do sources disagree about a price in force today?
select endpoint, meter, tier, len(list_distinct(list(usd_per_mtok))) as prices, min(usd_per_mtok) as least_usd_per_mtok,
    max(usd_per_mtok) as most_usd_per_mtok, list_sort(list_distinct(list(source))) as sources
from stated_prices group by endpoint, meter, tier, context_min_tokens, context_max_tokens, time_window
having min(source) < max(source) and max(usd_per_mtok) > 1.01 * min(usd_per_mtok) order by endpoint, meter, tier;
