-- A chart put under a sent message: tried once, written before it is tried, whatever comes of it.
create table picture (message_id varchar not null, happened_at timestamp not null, outcome varchar not null, error varchar);
