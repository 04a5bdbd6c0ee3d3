-- What does each use case cost a month, and what is the cheapest eligible alternative that is likely good enough?
select u.use_case, u.endpoint, u.cost_usd_per_month, min_by(c.endpoint, c.cost_usd_per_month) as alternative,
    min_by(c.tier, c.cost_usd_per_month) as alternative_tier, min(c.cost_usd_per_month) as alternative_usd_per_month
from use_cases u left join candidates c on c.use_case = u.use_case and c.eligible and c.p_ok >= 0.85 and c.move is not null
where u.status is distinct from 'withdrawn'
group by all order by u.cost_usd_per_month desc;
