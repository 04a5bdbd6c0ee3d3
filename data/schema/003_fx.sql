-- Reference exchange rates: units of a currency for one euro, one row a currency and working day.
create table fx_rate (
    day date not null, currency varchar not null, per_eur decimal(18, 9) not null, source_id varchar not null,
    known_from timestamp not null);
