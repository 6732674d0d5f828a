-- Facilities and their places. No address: what is not here cannot leak (R-REG-18).
create table facility (
    facility_id text not null primary key,
    version bigint not null,
    organisation text not null,
    municipality text not null,
    name text not null,
    kind text not null,
    audience text not null,
    provision text not null,
    opened_on text not null
);

create index facility_by_municipality on facility (municipality);

-- Numbers of places from a day on, only ever added to (R-ACC-24).
create table capacity (
    facility_id text not null references facility (facility_id),
    change_no bigint not null,
    from_on text not null,
    places bigint not null,
    reserve bigint not null,
    recorded_at bigint not null,
    primary key (facility_id, change_no)
);
