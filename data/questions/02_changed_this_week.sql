-- Which prices changed in the week before the newest data?
select endpoint, meter, tier, time_window, before_usd_per_mtok, usd_per_mtok, valid_from, standing, source
from price_history, (select max(data_as_of) as newest from sources)
where valid_from > newest - interval 7 day and valid_from <= newest and before_usd_per_mtok <> usd_per_mtok
order by valid_from desc, endpoint, meter, tier;
