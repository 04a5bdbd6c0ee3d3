-- One row per price that is held back, with what would release it.
create view quarantine as
select h.source_id as source, h.endpoint_id as endpoint, h.name, h.meter, h.tier, h.old_usd_per_mtok,
    h.new_amount, h.why, h.release, h.held_at, h.claim_id, r.verdict as released, r.released_at, r.released_by
from held h left join held_release r using (claim_id);
comment on view quarantine is 'Prices held back because they look wrong. One row per held claim. From: the readings of pages and feeds; source names which.';
comment on column quarantine.source is 'Source that states it';
comment on column quarantine.endpoint is 'Price id; empty: not matched';
comment on column quarantine.name is 'Model as written';
comment on column quarantine.meter is 'What is counted';
comment on column quarantine.tier is 'standard, batch, flex or priority';
comment on column quarantine.old_usd_per_mtok is 'Price that stands meanwhile, US dollars per million tokens';
comment on column quarantine.new_amount is 'Amount held, in the unit of the page';
comment on column quarantine.why is 'Guard that held it';
comment on column quarantine.release is 'What releases it';
comment on column quarantine.held_at is 'Since when, UTC';
comment on column quarantine.claim_id is 'Claim, for undercut feedback';
comment on column quarantine.released is 'release, reject or lapsed (the page no longer says it); empty: still held';
comment on column quarantine.released_at is 'When, UTC';
comment on column quarantine.released_by is 'By the page seen twice, a witness, or a person';
