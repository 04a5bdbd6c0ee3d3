-- Every registered cache at the prices in force; the newest computation.
create view caches as
select use_case, name, kind, verdict, hit_rate, break_even_share, returns_usd_per_month, right_until, why, as_of
from cache_audit where as_of = (select max(as_of) from cache_audit);
comment on view caches is 'Registered caches and whether they pay. One row per use case and cache. From: use_cases.yaml and the prices in force, computed once a day.';
comment on column caches.use_case is 'Slug from use_cases.yaml';
comment on column caches.name is 'Name of the cache';
comment on column caches.kind is 'prompt (the host''s), semantic or response (your own)';
comment on column caches.verdict is 'keep, remove, or unknown (a price is missing)';
comment on column caches.hit_rate is 'Share of hits, 0 to 1, as registered';
comment on column caches.break_even_share is 'Least share of hits that pays; empty: unknown; above 1: none does';
comment on column caches.returns_usd_per_month is 'What it returns net of upkeep at list prices, US dollars a month';
comment on column caches.right_until is 'Last day it paid, where it pays no more';
comment on column caches.why is 'The sum behind the verdict';
comment on column caches.as_of is 'Day it was computed for';
