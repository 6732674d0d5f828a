-- Emergency access (R-REG-20): who opened whose file without a relation, in which role and why, and what the review found.
-- Words are sealed. What counts for rights is in the shared table `emergency_access`.
create table emergency (
    emergency_id text not null primary key,
    client_id text not null,
    organisation text not null,
    person text not null,
    role text not null,
    reason text not null,
    explanation bytea not null,
    opened_at bigint not null,
    until_at bigint not null,
    ended_at bigint,
    review_by text not null,
    outcome text,
    outcome_explanation bytea,
    reviewed_by text,
    reviewed_on text
);

create index emergency_by_client on emergency (client_id, emergency_id);
create index emergency_waiting on emergency (emergency_id) where outcome is null;
