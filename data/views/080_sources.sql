-- One row per source: what its last fetch said and how old its newest facts are.
create view sources as
select
    source_id as source, max_by(url, fetched_at) as url, max_by(outcome, fetched_at) as outcome,
    max_by(error, fetched_at) as error, max(fetched_at) filter (outcome <> 'failed') as last_success_at,
    max(fetched_at) as last_tried_at, max(coalesce(as_of, fetched_at)) filter (outcome <> 'failed') as data_as_of,
    count(*) as fetches, count(*) filter (outcome = 'failed') as failures
from capture group by source_id;
comment on view sources is 'Health of every source fetched so far. One row per source. From: the log of every fetch.';
comment on column sources.source is 'Source id: the name of its file in scraper/sources';
comment on column sources.url is 'Page, feed or package';
comment on column sources.outcome is 'Last fetch: new, changed, unchanged or failed';
comment on column sources.error is 'Why the last fetch failed; empty: it did not';
comment on column sources.last_success_at is 'Last fetch that worked, UTC';
comment on column sources.last_tried_at is 'Last fetch, UTC';
comment on column sources.data_as_of is 'Day its newest facts are of, UTC';
comment on column sources.fetches is 'Count of fetches so far';
comment on column sources.failures is 'Count of fetches that failed';
