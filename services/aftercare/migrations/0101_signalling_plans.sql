-- Signalling plans: the client's own words, sealed as a whole. A new plan is a new version; the newest is in force.
create table signalling_plan (
    client_id text not null,
    version bigint not null,
    plan bytea not null,
    recorded_by text not null,
    recorded_at bigint not null,
    primary key (client_id, version)
);
