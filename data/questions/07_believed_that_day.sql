-- What was believed about a price on the day an alert was sent?
select meter, tier, usd_per_mtok, standing, valid_from, seen_at, source
from price_asof(date '2026-11-10', known_at := timestamptz '2026-11-10 12:00:00+00')
where endpoint = 'zhipuai:GLM-5' order by meter, tier, band;
