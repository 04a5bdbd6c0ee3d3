-- What did a model cost over two years?
select meter, time_window, usd_per_mtok, valid_from, valid_to, standing, source
from price_history
where endpoint = 'deepseek:deepseek-chat' and meter in ('input', 'output') and tier = 'standard'
    and coalesce(valid_to, current_date) >= current_date - interval 2 year
order by meter, valid_from nulls first, time_window nulls first;
