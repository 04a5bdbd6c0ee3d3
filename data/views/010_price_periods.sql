-- Not for people: which rate stood from when to when, as known now; the base of price_history. Publishing computes it once.
-- Between two moments at which anything begins or ends, the same order of trust as price_asof decides. Everything is kept apart
-- by endpoint, so that who asks for one (in a team's lake, where nothing is computed beforehand) reads and sorts only that one.
-- No moment is joined with every rate of its place, only with each source's newest before it: time in proportion to the history.
create view price_periods as
with ranked as (
    select *, dense_rank() over (partition by endpoint_id order by meter, tier, context_min_tokens, context_max_tokens, time_window, region, unit) as place,
        coalesce(valid_from, timestamp '0001-01-01') as holds_from, coalesce(valid_to, timestamp '9999-12-31') as holds_to,
        valid_from is not null and valid_to is not null as bounded, coalesce(valid_from, known_from) as begins,
        case standing when 'official' then 2 when 'single' then 0 else 1 end as trust
    from rate
), moments as not materialized (
    select endpoint_id, place, timestamp '0001-01-01' as moment from ranked
    union select endpoint_id, place, coalesce(valid_from, known_from) from ranked
    union select endpoint_id, place, valid_to from ranked where valid_to is not null
), open_said as ( -- what holds until its source says otherwise: of each source and beginning the newest
    select endpoint_id, place, source_id, begins as moment, {'rate_id': rate_id, 'begins': begins, 'known_from': known_from, 'trust': trust, 'withdrawn': withdrawn} as said
    from ranked where valid_to is null
    qualify row_number() over (partition by endpoint_id, place, source_id, begins order by known_from desc, rate_id desc) = 1
), first_seen as ( -- before a price was ever seen, what was seen first
    select * from ranked where valid_to is null and valid_from is null
    qualify row_number() over (partition by endpoint_id, place, source_id order by known_from, rate_id desc) = 1
), heard as ( -- every source at every moment, with what it said last
    select * exclude said, last_value(said ignore nulls) over (partition by endpoint_id, place, source_id order by moment
        range between unbounded preceding and current row) as said
    from (
        select *, false as asked from open_said
        union all by name
        select m.endpoint_id, m.place, s.source_id, m.moment, true as asked
        from moments m join (select distinct endpoint_id, place, source_id from ranked) s on s.endpoint_id = m.endpoint_id and s.place = m.place)
    qualify asked
), candidates as (
    select h.endpoint_id, h.place, h.source_id, h.moment, false as bounded, coalesce(h.said.rate_id, f.rate_id) as rate_id,
        case when h.said is null then timestamp '0001-01-01' else h.said.begins end as begins, coalesce(h.said.known_from, f.known_from) as known_from,
        coalesce(h.said.trust, f.trust) as trust, coalesce(h.said.withdrawn, f.withdrawn) as withdrawn
    from heard h left join first_seen f on f.endpoint_id = h.endpoint_id and f.place = h.place and f.source_id = h.source_id
    where h.said is not null or f.rate_id is not null
    union all by name
    select m.endpoint_id, m.place, r.source_id, m.moment, r.bounded, r.rate_id,
        case when r.valid_from is null and r.known_from > m.moment then timestamp '0001-01-01' else r.begins end as begins, r.known_from, r.trust, r.withdrawn
    from moments m join ranked r on r.endpoint_id = m.endpoint_id and r.place = m.place and r.holds_from <= m.moment and r.holds_to > m.moment
    where r.valid_to is not null
), spoken as ( -- of each source, what it says from that moment on
    select * from candidates
    qualify row_number() over (partition by endpoint_id, place, moment, source_id order by bounded desc, begins desc,
        case when begins = timestamp '0001-01-01' then -epoch_us(known_from) else epoch_us(known_from) end desc, rate_id desc) = 1
), stands as (
    select endpoint_id, place, moment, max_by(rate_id, (trust, bounded, begins,
        case when begins = timestamp '0001-01-01' then -epoch_us(known_from) else epoch_us(known_from) end, rate_id)) filter (not withdrawn) as rate_id
    from (from spoken union all by name select *, true as withdrawn from moments) group by endpoint_id, place, moment
), turns as (
    select * from stands qualify rate_id is distinct from lag(rate_id) over (partition by endpoint_id, place order by moment)
), spans as (
    select t.*, r.usd_per_mtok, lead(t.moment) over times as until,
        lag(r.usd_per_mtok ignore nulls) over times as before_usd_per_mtok
    from turns t left join ranked r using (endpoint_id, place, rate_id) window times as (partition by endpoint_id, place order by t.moment)
)
select r.endpoint_id, r.meter, r.tier, r.context_min_tokens, r.context_max_tokens, r.time_window, r.region, r.usd_per_mtok,
    r.usd_per_unit, r.unit, r.standing, nullif(s.moment, timestamp '0001-01-01') as valid_from, s.until as valid_to,
    s.before_usd_per_mtok, r.known_from, r.source_id, r.rate_id
from spans s join ranked r using (endpoint_id, place, rate_id)
order by r.endpoint_id, r.meter, r.tier, s.moment;
comment on view price_periods is 'Internal: which rate stood from when to when. Use price_history.';
