-- Which model at or above a quality is the cheapest for a use case?
select endpoint, model, cost_usd_per_month, quality, quality_low, quality_high, evidence
from candidates where use_case = 'code-review' and eligible and quality_low >= 0.6
order by cost_usd_per_month, endpoint limit 5;
