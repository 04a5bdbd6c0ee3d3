-- One row per model, variant, benchmark and source: the newest score known.
create view scores as
select
    s.model_id as model, s.variant, s.benchmark, s.source_id as source, s.metric, s.value as score, s.low as score_low,
    s.high as score_high, b.scale, b.higher_is_better, s.n_items, s.cost_usd as run_cost_usd, s.output_tokens,
    s.evaluated_on, s.self_reported, s.known_from as seen_at, s.score_id
from score s left join benchmark b using (benchmark)
qualify row_number() over (
    partition by s.model_id, s.variant, s.benchmark, s.metric, s.source_id order by s.known_from desc, s.evaluated_on desc) = 1;
comment on view scores is 'Newest known score. One row per model x variant x benchmark x source. From: benchmark pages and papers; source names which.';
comment on column scores.model is 'maker/model';
comment on column scores.variant is 'Run setting: key=value joined by ; (effort, thinking, ...); empty: the default';
comment on column scores.benchmark is 'Benchmark id; version and harness are part of it';
comment on column scores.source is 'Source that states it';
comment on column scores.metric is 'What was measured';
comment on column scores.score is 'Figure in the unit of the benchmark (scale percent: 0 to 100)';
comment on column scores.score_low is 'Lower end of the stated interval, same unit; empty: none stated';
comment on column scores.score_high is 'Upper end of the stated interval, same unit; empty: none stated';
comment on column scores.scale is 'percent or raw (Elo, points, dollars); empty: a benchmark we do not know';
comment on column scores.higher_is_better is 'False for error and hallucination rates';
comment on column scores.n_items is 'Count of items of the test; empty: not stated';
comment on column scores.run_cost_usd is 'US dollars to run the whole benchmark once; empty: not stated';
comment on column scores.output_tokens is 'Output tokens of the whole run; empty: not stated';
comment on column scores.evaluated_on is 'ISO date, month or year of the evaluation, as far as stated';
comment on column scores.self_reported is 'True: the maker''s own figure';
comment on column scores.seen_at is 'When we knew it, UTC';
comment on column scores.score_id is 'Id of the score, as decisions name it';
