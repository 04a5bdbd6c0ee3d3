-- What savings were announced, accepted and realised (it runs there now: bill then less bill now), in US dollars a month?
select date_trunc('quarter', r.opened_at)::date as quarter, count(*) as findings, sum(r.saving_usd_per_month) as announced_usd_per_month,
    sum(r.saving_usd_per_month) filter (where r.state in ('approve', 'switched')) as accepted_usd_per_month,
    sum(r.cost_usd_per_month - u.cost_usd_per_month) filter (where (u.endpoint, u.tier) = (r.to_endpoint, r.to_tier)) as realised_usd_per_month
from recommendations r left join use_cases u using (use_case)
where r.verdict = 'switch' and r.state <> 'closed' group by quarter order by quarter;
