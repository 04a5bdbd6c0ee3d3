-- What is computed about falling prices, kept as it was on its day: trends, floors of quality bands, compromises, caches.
create table price_trend (
    as_of date not null, definition varchar not null, benchmark varchar not null, level double,
    factor_per_year double, factor_low double, factor_high double, points integer not null, span_days integer not null,
    first_day date, last_day date, first_usd double, last_usd double, why varchar
);
create table band (
    as_of date not null, benchmark varchar not null, level double not null, month date not null,
    usd_per_mtok double, model_id varchar, cost_usd_per_task double
);
create table compromise (
    as_of date not null, use_case varchar not null, position integer not null, what varchar not null,
    designed_on date, saved_then_usd_per_month double, saves_now_usd_per_month double, costs_now_usd_per_month double,
    multiple double, multiple_low double, multiple_high double, verdict varchar not null, why varchar not null
);
create table cache_audit (
    as_of date not null, use_case varchar not null, name varchar not null, kind varchar not null,
    hit_rate double not null, break_even_share double, returns_usd_per_month double, verdict varchar not null,
    right_until date, why varchar not null
);
create table forecast (
    as_of date not null, use_case varchar not null, days integer not null, best_endpoint varchar,
    best_usd_per_month double, usd_per_month double, low_usd_per_month double, high_usd_per_month double,
    p_unchanged double, advice varchar not null, why varchar not null
);
create table plan_option (
    as_of date not null, use_case varchar not null, position integer not null, plan varchar not null, calls double not null,
    calls_at_most integer not null, usd_per_month double not null, bill_usd_per_month double not null,
    trial boolean not null, why varchar not null, measure varchar not null
);
create table price_drop (
    as_of date not null, benchmark varchar not null, level double not null, day date not null, from_model varchar not null,
    to_model varchar not null, from_usd_per_mtok double not null, to_usd_per_mtok double not null, hosts integer,
    drivers varchar[] not null
);
