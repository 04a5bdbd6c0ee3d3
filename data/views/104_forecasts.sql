-- What the cheapest sure choice of each use case may cost in 3, 6 and 12 months; the newest computation.
create view forecasts as
select use_case, days, best_endpoint, best_usd_per_month, usd_per_month, low_usd_per_month, high_usd_per_month, p_unchanged,
    advice, why, as_of
from forecast where as_of = (select max(as_of) from forecast);
comment on view forecasts is 'Cost of the cheapest choice that is good enough, foreseen. One row per use case and horizon. From: the candidates in force and how prices fell so far (data/seed), computed once a day.';
comment on column forecasts.use_case is 'Slug from use_cases.yaml';
comment on column forecasts.days is 'Horizon: 90, 180 or 365 days';
comment on column forecasts.best_endpoint is 'Cheapest eligible choice that is good enough with the confidence asked for; empty: none';
comment on column forecasts.best_usd_per_month is 'What it costs now at list prices, US dollars a month';
comment on column forecasts.usd_per_month is 'Best single guess at the horizon, US dollars a month';
comment on column forecasts.low_usd_per_month is 'Low end of the 80 % interval, US dollars a month';
comment on column forecasts.high_usd_per_month is 'High end of the 80 % interval, US dollars a month';
comment on column forecasts.p_unchanged is 'Probability, 0 to 1, that the floor does not move by then';
comment on column forecasts.advice is 'switch, wait or stay';
comment on column forecasts.why is 'What waiting forgoes against what it may gain';
comment on column forecasts.as_of is 'Day it was computed for';
