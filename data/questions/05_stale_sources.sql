-- Which sources are stale, and since when?
select source, outcome, last_success_at, data_as_of, date_diff('day', data_as_of, (select max(data_as_of) from sources)) as days_behind
from sources where outcome = 'failed' or days_behind > 7
order by days_behind desc, source limit 8;
