-- Who waits where now, and the facts from which the order at any past moment is told.
create table waiting_entry (
    entry_id text not null primary key,
    version bigint not null,
    client_id text not null references client (client_id),
    facility_id text not null references facility (facility_id),
    joined_on text not null,
    state text not null check (state in ('waiting', 'left')),
    left_on text,
    left_reason text
);

-- A client has one place on a list.
create unique index waiting_entry_one_per_client_and_facility on waiting_entry (client_id, facility_id) where state in ('waiting');

-- Only ever added to: what happened, on which day, and since when it is known.
create table waiting_fact (
    entry_id text not null references waiting_entry (entry_id),
    joined boolean not null,
    facility_id text not null,
    client_id text not null,
    occurred_on text not null,
    recorded_at bigint not null,
    primary key (entry_id, joined)
);

create index waiting_fact_by_facility on waiting_fact (facility_id, recorded_at);
