-- Names that move: `family-latest` and what it meant, as known from a day on. A row where the meaning changed.
create table pointer (name varchar not null, model_id varchar not null, source_id varchar not null, known_from timestamp not null);
