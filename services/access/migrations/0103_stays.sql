-- Where the client sleeps. A stay runs as long as it has no last day.
create table stay (
    stay_id text not null primary key,
    version bigint not null,
    client_id text not null references client (client_id),
    facility_id text not null references facility (facility_id),
    notification_id text references notification (notification_id),
    admitted_on text not null,
    level text not null,
    trajectory_on text,
    state text not null check (state in ('open', 'left', 'dropped_out', 'died')),
    departed_on text,
    reason text,
    nights_used bigint
);

-- Nobody sleeps in two places: whatever the code does, the database refuses a second running stay.
create unique index stay_one_open_per_client on stay (client_id) where state in ('open');

create index stay_by_client on stay (client_id, admitted_on);
create index stay_by_facility on stay (facility_id, departed_on);

-- One register per facility and night; a correction replaces its beds and raises its revision (R-ACC-32).
create table night_register (
    facility_id text not null references facility (facility_id),
    night text not null,
    revision bigint not null,
    recorded_at bigint not null,
    primary key (facility_id, night)
);

create table night (
    facility_id text not null,
    night text not null,
    stay_id text not null references stay (stay_id),
    client_id text not null,
    used text not null,
    hold_reason text,
    held_until text,
    primary key (facility_id, night, stay_id)
);

-- The nights of a stay are counted at its end, and around its fourth.
create index night_by_stay on night (stay_id, used, night);
