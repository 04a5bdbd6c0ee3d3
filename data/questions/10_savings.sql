-- What savings were announced, accepted and realised (30 days after the switch), in US dollars a month?
with answers as (select rec, sum(realised_usd_per_month) as realised_usd_per_month
    from decisions where verdict in ('approved', 'switched') group by rec)
select date_trunc('quarter', r.opened_at)::date as quarter, count(*) as findings, sum(r.saving_usd_per_month) as announced_usd_per_month,
    sum(r.saving_usd_per_month) filter (where a.rec is not null) as accepted_usd_per_month,
    sum(a.realised_usd_per_month) as realised_usd_per_month
from recommendations r left join answers a using (rec)
where r.verdict = 'switch' and r.state <> 'closed' group by quarter order by quarter;
