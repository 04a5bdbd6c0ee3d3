-- Which models in use retire within 90 days of the newest data, and what do they cost?
select retires_on, endpoint, use_case, role, owner, cost_usd_per_month
from retirements where retires_on <= (select max(data_as_of) from use_cases)::date + 90 order by retires_on, use_case;
