-- Handovers: from who guides the client to the team of the new district. The row is the truth; `step` below keeps how it
-- came to be. The form and the receiver's note are free text and sealed.
create table handover (
    handover_id text not null primary key,
    version bigint not null,
    client_id text not null,
    allocation_id text not null,
    from_organisation text not null,
    to_organisation text not null,
    municipality text not null,
    district text,
    move_on text not null,
    state text not null,
    due_on text,
    warn_on text,
    overdue boolean not null,
    assigned boolean not null,
    form bytea,
    return_reason text,
    return_note bytea,
    first_filled_at bigint,
    relation_id text
);

-- P3 rests on this index: whatever is retried, an allocation has one handover.
create unique index handover_one_per_allocation on handover (allocation_id);

create index handover_by_client on handover (client_id);

-- What happened to a handover, an aftercare or a signal, only ever added to: who had to act from when, by which day, under
-- which version of the policy. Any past moment can be asked of it.
create table step (
    subject_id text not null,
    version bigint not null,
    what text not null,
    organisation text,
    due_on text,
    policy_version text not null,
    occurred_on text not null,
    recorded_at bigint not null,
    primary key (subject_id, version, what)
);
