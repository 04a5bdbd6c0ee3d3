-- What was kept out of a reading of boards, and what a person said about it. Rows are only added.
create table board_doubt (
    source_id varchar not null, benchmark varchar not null, kind varchar not null, why varchar not null,
    capture varchar not null, claim_ids varchar[] not null, known_from timestamp not null);

create table board_verdict (
    source_id varchar not null, benchmark varchar not null, kind varchar not null, becomes varchar not null,
    decided_at timestamp not null, decided_by varchar not null);
