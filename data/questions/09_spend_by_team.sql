-- What does each team spend, and how much of it could be saved for sure?
select coalesce(u.team, '(none)') as team, count(*) as use_cases, sum(u.cost_usd_per_month) as cost_usd_per_month,
    sum(r.saving_low_usd_per_month) filter (where r.verdict = 'switch') as sure_saving_usd_per_month
from use_cases u left join recommendations r on r.rec = u.rec
where u.status is distinct from 'withdrawn' group by all order by cost_usd_per_month desc;
