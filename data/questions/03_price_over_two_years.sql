-- What did a model cost over two years?
select meter, context_min_tokens as above_tokens, time_window, usd_per_mtok, valid_from, valid_to, standing, source
from price_history
where endpoint = 'openai:gpt-5.6-terra' and meter in ('input', 'output') and tier = 'standard'
    and coalesce(valid_to, utc(now())) >= utc(now()) - interval 2 year
order by meter, above_tokens nulls first, valid_from nulls first, time_window nulls first;
