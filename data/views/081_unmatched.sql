-- One row per name that no catalogue entry matches; a person decides, nothing is guessed.
create view unmatched as
select name, source_id as source, max_by(url, known_from) as page, any_value(kind) as kind,
    max_by(proposals, known_from) as proposals, min(known_from) as first_seen_at
from unmatched_name group by name, source_id;
comment on view unmatched is 'Names on pages that match no model in the catalogue. One row per name x source. From: the readings of pages and feeds; source names which.';
comment on column unmatched.name is 'As the page writes it';
comment on column unmatched.source is 'Source that writes it';
comment on column unmatched.page is 'URL of the page';
comment on column unmatched.kind is 'price, score or benchmark';
comment on column unmatched.proposals is 'Similar names, for a person to judge; never used by the program';
comment on column unmatched.first_seen_at is 'When it was first seen, UTC';
