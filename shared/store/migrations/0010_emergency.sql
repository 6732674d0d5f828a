-- Emergency access (R-REG-20): one person, one client, one role, until a moment. Apart from the relations, so that nothing
-- that goes by a relation (changes, lists of a caseload, who hears of what) can take one for it.
create table emergency_access (
    emergency_id text not null primary key,
    client_id text not null,
    organisation text not null,
    person text not null,
    role text not null,
    until_at bigint not null,
    ended_at bigint
);

create index emergency_access_open on emergency_access (client_id, organisation, person) where ended_at is null;
