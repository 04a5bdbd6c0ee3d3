-- One row per moving name and meaning: what it meant, from when we knew it until the next one.
create view pointers as
select name, model_id as model, known_from as since,
    lead(known_from) over (partition by name order by known_from) as until,
    lag(model_id) over (partition by name order by known_from) as before
from pointer;
comment on view pointers is 'Names such as family-latest that move from model to model. One row per name and meaning. From: data/catalogue and the feeds of hosts.';
comment on column pointers.name is 'As hosts take it';
comment on column pointers.model is 'maker/model it means';
comment on column pointers.since is 'When we knew it to mean this, UTC';
comment on column pointers.until is 'When it moved on, UTC; empty: it still means this';
comment on column pointers.before is 'Model it meant before; empty: none known';
