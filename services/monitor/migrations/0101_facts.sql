-- What is known, one row per fact and set of rows, under a pseudonym. No row is ever added to: a fact that comes again is
-- the same row, and figures are joined and counted when they are asked. So the order of arrival cannot matter.

create table registration (
    generation bigint not null,
    notification_id text not null,
    person text not null,
    received_on text not null,
    municipality text not null,
    origin text not null,
    triggers text not null,
    primary key (generation, notification_id)
);

create table trajectory (
    generation bigint not null,
    stay_id text not null,
    notification_id text,
    primary key (generation, stay_id)
);

create table departure (
    generation bigint not null,
    stay_id text not null,
    person text not null,
    admitted_on text not null,
    departed_on text not null,
    destination text,
    primary key (generation, stay_id)
);

-- The night register of a facility; a correction has a higher revision and replaces the nights of the former one.
create table register (
    generation bigint not null,
    facility_id text not null,
    night text not null,
    revision bigint not null,
    primary key (generation, facility_id, night)
);

-- The nights that were slept.
create table bed_night (
    generation bigint not null,
    facility_id text not null,
    night text not null,
    stay_id text not null,
    person text not null,
    primary key (generation, facility_id, night, stay_id)
);

-- Joining a waiting list, and leaving it because of admission: two facts, either of which may be known first.
create table waiting_joined (
    generation bigint not null,
    entry_id text not null,
    joined_on text not null,
    primary key (generation, entry_id)
);

create table waiting_admitted (
    generation bigint not null,
    entry_id text not null,
    person text not null,
    admitted_on text not null,
    primary key (generation, entry_id)
);

create table signal_answer (
    generation bigint not null,
    event_id text not null,
    signal_id text not null,
    person text not null,
    answered_on text not null,
    minutes bigint not null,
    primary key (generation, event_id)
);

create table handover_step (
    generation bigint not null,
    event_id text not null,
    handover_id text not null,
    person text not null,
    step text not null,
    stepped_on text not null,
    primary key (generation, event_id)
);
