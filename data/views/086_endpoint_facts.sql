-- One row per endpoint, field and source: the newest word of each; `believed` is what decisions rest on.
create view endpoint_facts as
with newest as (
    select * from endpoint qualify row_number() over (partition by endpoint_id order by known_from desc) = 1
), told as (
    select * from endpoint_fact
    qualify row_number() over (partition by endpoint_id, field, source_id order by known_from desc) = 1
)
select t.endpoint_id as endpoint, t.field, t.value, t.source_id as source, t.link, t.checked_on, t.known_from as seen_at,
    case when t.field like 'features.%' then json_extract_string(e.features, '$.' || substr(t.field, 10))
        when t.field like 'params.%' then json_extract_string(e.params, '$.' || substr(t.field, 8))
        when t.field = 'context_tokens' then e.context_tokens::varchar
        when t.field = 'max_output_tokens' then e.max_output_tokens::varchar
        when t.field = 'precision' then e.precision
        when t.field = 'regions' then array_to_string(e.regions, ', ')
        when t.field = 'retention' then e.retention
        when t.field = 'retires_on' then e.retires_on end as believed
from told t left join newest e using (endpoint_id);
comment on view endpoint_facts is 'What catalogues and pages state of endpoints. One row per endpoint x field x source. From: pages, feeds and what is kept by hand in data/catalogue; source names which.';
comment on column endpoint_facts.endpoint is 'Price id: provider:model id';
comment on column endpoint_facts.field is 'context_tokens, max_output_tokens, features.x, params.x, precision, regions, retention, retires_on';
comment on column endpoint_facts.value is 'As the source states it: tokens, true or false, a word or an ISO date';
comment on column endpoint_facts.source is 'Source id; catalogue: kept by hand';
comment on column endpoint_facts.link is 'Page it can be checked on';
comment on column endpoint_facts.checked_on is 'Day a person compared it with the page; empty: nobody did';
comment on column endpoint_facts.seen_at is 'When we knew it, UTC';
comment on column endpoint_facts.believed is 'What decisions rest on; empty: unknown, also where sources contradict each other';
