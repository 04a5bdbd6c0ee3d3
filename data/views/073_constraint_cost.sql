-- One row per use case and constraint, or pair of constraints that only together cost something (PRODUCT 3.2).
create view constraint_cost as
with good as (
    select
        c.use_case, c.eligible, c.cost_usd_per_month as usd,
        list_sort(list_distinct(list_transform(c.reasons, lambda r: split_part(r, ':', 1)))) as keys
    from candidate c
    join (select use_case, max_by(run_id, decided_at) as run_id from recommendation group by use_case) newest using (use_case, run_id)
    join (select use_case, entry, withdrawn from use_case qualify row_number() over (partition by use_case order by registered_at desc) = 1) u using (use_case)
    where c.cost_usd_per_month is not null and not u.withdrawn
      and (
          c.move is null  -- what runs today
          or coalesce(c.p_ok, 0) >= (u.entry ->> '$.quality.confidence')::double
              and (c.move in ('tier', 'endpoint') or c.evidence <= (u.entry ->> '$.quality.evidence'))
      )
),
best as (select use_case, min(usd) filter (where eligible) as usd from good group by use_case),
shut as (
    select g.use_case, g.keys, g.usd, b.usd as best_usd from good g join best b using (use_case)
    where not g.eligible and not list_has_any(g.keys, ['price', 'identity'])
),
parts as (
    select use_case, unnest(keys) as constraint_key, len(keys) as together, usd, best_usd from shut
    union all
    select use_case, array_to_string(keys, ' + '), 1, usd, best_usd from shut where len(keys) = 2
)
select
    use_case, constraint_key,
    case when max(best_usd) is not null then greatest(0, max(best_usd) - coalesce(min(usd) filter (where together = 1), max(best_usd))) end as shadow_usd_per_month,
    count(*) as excludes
from parts group by use_case, constraint_key;
comment on view constraint_cost is 'What each constraint costs among choices good enough: the best eligible cost (what runs today included) less the best when only it is dropped. One row per use case x constraint, or pair that shuts a choice out together. From: the view candidates.';
comment on column constraint_cost.use_case is 'Slug from use_cases.yaml';
comment on column constraint_cost.constraint_key is 'Key of the constraint, as in the reasons of candidates; two keys joined by +: both must go';
comment on column constraint_cost.shadow_usd_per_month is 'US dollars a month, at list prices; 0: dropping it alone brings nothing; empty: nothing eligible to compare with';
comment on column constraint_cost.excludes is 'Choices good enough that it shuts out, alone or with others (count); of a pair: those that just the two shut out';
