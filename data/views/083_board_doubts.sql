-- One row per board and reason for which something was kept out; what stood before stays in scores.
create view board_doubts as
select d.source_id as source, nullif(d.benchmark, '') as benchmark, d.kind, d.why, len(d.claim_ids) as rows_kept_out,
    d.known_from as since, g.last_good_at, v.decided_at as accepted_at, v.becomes as accepted_as, v.decided_by as accepted_by
from board_doubt d
left join board_verdict v on v.source_id = d.source_id and v.benchmark = d.benchmark and v.kind = d.kind
    and v.decided_at >= d.known_from
left join (select source_id, benchmark, max(known_from) as last_good_at from score group by all) g
    on g.source_id = d.source_id and g.benchmark = d.benchmark
qualify row_number() over (partition by d.source_id, d.benchmark, d.kind, d.why order by d.known_from desc, v.decided_at) = 1;
comment on view board_doubts is 'Scores kept out because a board looks wrong. One row per source x benchmark x reason. From: the readings of benchmark pages; source names which.';
comment on column board_doubts.source is 'Source that states them';
comment on column board_doubts.benchmark is 'Benchmark id; empty: the source as a whole';
comment on column board_doubts.kind is 'unknown benchmark, impossible, duplicate, lost rows, new version, missing field or moving name';
comment on column board_doubts.why is 'In one line';
comment on column board_doubts.rows_kept_out is 'Count of figures kept out of scores; they stay as claims';
comment on column board_doubts.since is 'When it was read, UTC';
comment on column board_doubts.last_good_at is 'Reading whose scores stand meanwhile, UTC; empty: none';
comment on column board_doubts.accepted_at is 'When a person accepted it (undercut boards --accept), UTC; empty: still kept out';
comment on column board_doubts.accepted_as is 'Benchmark id under which it counts since; a new version has one of its own';
comment on column board_doubts.accepted_by is 'Who accepted it';
