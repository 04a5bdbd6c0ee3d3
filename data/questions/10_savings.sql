-- What savings were announced, and what became of them?
select state, count(*) as findings, sum(saving_usd_per_month) as saving_usd_per_month, min(opened_at) as since
from recommendations where to_endpoint is not null group by state order by saving_usd_per_month desc;
