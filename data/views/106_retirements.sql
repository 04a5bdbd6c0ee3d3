-- Announced ends of endpoints in use.
create view retirements as
select try_cast(e.retires_on as date) as retires_on, u.endpoint, u.use_case, 'in use' as role, u.owner, u.team, u.cost_usd_per_month, e.known_from as announced_at
from use_cases u
join (select * from endpoint qualify row_number() over (partition by endpoint_id order by known_from desc) = 1) e
    on e.endpoint_id = u.endpoint
where try_cast(e.retires_on as date) is not null;
comment on view retirements is 'Ends of endpoints that a use case runs on. One row per use case.';
comment on column retirements.retires_on is 'Last day as announced';
comment on column retirements.endpoint is 'Price id';
comment on column retirements.use_case is 'Slug from use_cases.yaml';
comment on column retirements.role is 'in use';
comment on column retirements.owner is 'Who decides';
comment on column retirements.team is 'Team from use_cases.yaml';
comment on column retirements.cost_usd_per_month is 'Cost now at list prices, US dollars a month';
comment on column retirements.announced_at is 'When we knew, UTC';
