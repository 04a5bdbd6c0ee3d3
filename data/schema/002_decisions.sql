-- What was registered, weighed, decided and said. Rows are only added.
create table use_case (
    use_case varchar not null, title varchar not null, team varchar, owner varchar, channel varchar not null,
    endpoint_id varchar not null, model_id varchar not null, tier varchar not null, tasks json not null,
    entry json not null, entry_sha varchar not null, registered_at timestamp not null, withdrawn boolean not null);

create table candidate (
    run_id varchar not null, use_case varchar not null, endpoint_id varchar not null, model_id varchar,
    tier varchar not null, variant varchar not null, move varchar, eligible boolean not null, reasons varchar[] not null,
    cost_usd_per_month double, cost_low_usd_per_month double, cost_high_usd_per_month double, cost_usd_per_call double,
    quality double, quality_low double, quality_high double, evidence varchar, measured boolean, p_ok double,
    on_frontier boolean not null, rank integer, saving_usd_per_month double, saving_low_usd_per_month double,
    effort_days double, payback_days double, net_value_usd double);

create table recommendation (
    run_id varchar not null, rec varchar not null, use_case varchar not null, decided_at timestamp not null,
    data_as_of timestamp not null, verdict varchar not null, reason varchar not null, reasons varchar[] not null,
    move varchar, from_endpoint varchar not null, to_endpoint varchar, to_tier varchar,
    cost_usd_per_month double, best_cost_usd_per_month double, saving_usd_per_month double,
    saving_low_usd_per_month double, p_ok double, evidence varchar, payback_days double,
    rate_ids varchar[] not null, score_ids varchar[] not null, decision json not null, decision_sha varchar not null);

create table alert (
    alert_id varchar not null, run_id varchar not null, kind varchar not null, use_case varchar, rec varchar,
    channel varchar not null, created_at timestamp not null, withheld_because varchar, message json not null);

create table outbox (
    message_id varchar not null, alert_id varchar not null, channel varchar not null, payload json not null,
    created_at timestamp not null);

create table outbox_event (
    message_id varchar not null, happened_at timestamp not null, outcome varchar not null, slack_ts varchar, error varchar);

create table feedback (
    rec varchar not null, verdict varchar not null, decided_at timestamp not null, decided_by varchar, why varchar,
    until varchar, reopen_if varchar);
