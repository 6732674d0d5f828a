-- Who the client is: the only names and BSNs of the chain. `identity` is sealed; `bsn_hash` is keyed, to find a BSN again
-- without being able to read it. The hash is not unique: a BSN that is known answers like a new one (R-REG-26).
create table client (
    client_id text not null primary key,
    version bigint not null,
    municipality text not null,
    registered_by text not null,
    registered_at bigint not null,
    identity bytea not null,
    bsn_hash bytea,
    died_on text
);

create index client_by_bsn on client (bsn_hash, registered_at);

-- Sets of persons, only ever added to (R-ACC-28). `members` is sealed.
create table household (
    client_id text not null references client (client_id),
    set_no bigint not null,
    from_on text not null,
    recorded_at bigint not null,
    members bytea not null,
    primary key (client_id, set_no)
);
