-- What a catalogue or a page states of an endpoint, one fact a row: limits, features, parameters, precision, retirement.
create table endpoint_fact (
    endpoint_id varchar not null, field varchar not null, value varchar not null, source_id varchar not null,
    capture varchar, locator varchar, link varchar, checked_on varchar, known_from timestamp not null);
