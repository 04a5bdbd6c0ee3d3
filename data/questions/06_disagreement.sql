-- Where do sources disagree?
select endpoint, meter, tier, count(distinct usd_per_mtok) as prices, min(usd_per_mtok) as least_usd_per_mtok,
    max(usd_per_mtok) as most_usd_per_mtok, list(distinct source order by source) as sources
from price_history where valid_to is null and not withdrawn and time_window is null and context_min_tokens is null
group by all having count(distinct source) > 1 and max(usd_per_mtok) > 1.01 * min(usd_per_mtok) order by endpoint, meter;
