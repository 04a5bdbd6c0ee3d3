-- Facts from outside. Rows are only added; uniqueness is kept by the writer; no keys, enums or sequences, so that a
-- DuckLake takes the same tables. Times are UTC, kept as plain timestamps.
create table run (
    run_id varchar not null, kind varchar not null, source_id varchar, started_at timestamp not null,
    finished_at timestamp, outcome varchar, detail varchar);

create table capture (
    source_id varchar not null, url varchar not null, fetched_at timestamp not null, http_status integer,
    sha256 varchar, bytes bigint not null, renderer varchar not null, outcome varchar not null, error varchar,
    etag varchar, last_modified varchar, as_of timestamp);

create table price_claim (
    claim_id varchar not null, source_id varchar not null, capture varchar not null, model_as_written varchar not null,
    model_id_as_written varchar, meter varchar not null, tier varchar not null, context_min_tokens bigint,
    context_max_tokens bigint, time_window varchar, region varchar, modality varchar, amount decimal(24, 12) not null,
    currency varchar not null, per varchar not null, usd_per_mtok decimal(18, 9), list_price boolean not null,
    valid_from timestamp, valid_to timestamp, conditions varchar[] not null, quote varchar not null,
    locator varchar not null, known_from timestamp not null);

create table score_claim (
    claim_id varchar not null, source_id varchar not null, capture varchar not null, model_as_written varchar not null,
    benchmark varchar not null, metric varchar not null, value double not null, low double, high double,
    n_items bigint, variant varchar not null, cost_usd double, output_tokens double, evaluated_on varchar,
    self_reported boolean not null, quote varchar not null, locator varchar not null, known_from timestamp not null);

create table model (
    model_id varchar not null, maker varchar not null, name varchar not null, family varchar, released_on varchar,
    open_weights boolean, tokenizer varchar, source_id varchar not null, known_from timestamp not null);

create table endpoint (
    endpoint_id varchar not null, model_id varchar, provider varchar not null, region varchar not null,
    first_party boolean, context_tokens bigint, max_output_tokens bigint, features json, params json,
    precision varchar, regions varchar[], retention varchar, deprecated boolean, retires_on varchar,
    source_id varchar not null, link varchar, checked_on varchar, known_from timestamp not null);

create table rate (
    rate_id varchar not null, endpoint_id varchar not null, meter varchar not null, tier varchar not null,
    context_min_tokens bigint, context_max_tokens bigint, time_window varchar, region varchar not null,
    usd_per_mtok decimal(18, 9), usd_per_unit decimal(18, 9), unit varchar, valid_from timestamp, valid_to timestamp,
    known_from timestamp not null, standing varchar not null, source_id varchar not null, claim_ids varchar[] not null,
    withdrawn boolean not null);

create table score (
    score_id varchar not null, model_id varchar not null, variant varchar not null, benchmark varchar not null,
    metric varchar not null, value double not null, low double, high double, n_items bigint, cost_usd double,
    output_tokens double, evaluated_on varchar, self_reported boolean not null, source_id varchar not null,
    known_from timestamp not null, claim_id varchar not null);

create table benchmark (
    benchmark varchar not null, name varchar not null, scale varchar not null, higher_is_better boolean not null,
    cluster varchar, link varchar, n_items bigint, known_from timestamp not null);

create table held (
    source_id varchar not null, endpoint_id varchar, name varchar not null, meter varchar not null, tier varchar not null,
    old_usd_per_mtok decimal(18, 9), new_amount decimal(24, 12) not null, why varchar not null, release varchar not null,
    held_at timestamp not null, claim_id varchar not null);

create table held_release (claim_id varchar not null, released_at timestamp not null, verdict varchar not null, released_by varchar not null);

create table unmatched_name (
    name varchar not null, source_id varchar not null, url varchar, kind varchar not null, proposals varchar[] not null,
    known_from timestamp not null);
