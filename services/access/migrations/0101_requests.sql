-- What was asked and decided: notification, intake, application, decision (R-ACC-03, R-ACC-08, R-ACC-26).
create table notification (
    notification_id text not null primary key,
    version bigint not null,
    client_id text not null references client (client_id),
    municipality text not null,
    origin text not null,
    triggers text not null,
    received_on text not null,
    received_at bigint not null,
    notified_by text not null,
    used_shelter_before boolean not null,
    told_of_personal_plan boolean not null,
    told_of_client_support boolean not null,
    investigation_due_on text not null,
    investigated boolean not null,
    urgent text not null check (urgent in ('not_asked', 'waiting', 'granted', 'refused')),
    urgent_facility_id text,
    urgent_ground text,
    withdrawn text
);

create index notification_by_client on notification (client_id, received_at);

create table intake (
    intake_id text not null primary key,
    version bigint not null,
    notification_id text not null references notification (notification_id),
    client_id text not null references client (client_id),
    integrated boolean not null,
    planned_on text not null,
    state text not null check (state in ('planned', 'cancelled', 'completed')),
    cancel_reason text,
    result text,
    receiver text,
    ground text,
    completed_on text
);

create index intake_by_client on intake (client_id);

-- One intake, one contact: at most one planned intake per notification (R-ACC-13).
create unique index intake_one_planned_per_notification on intake (notification_id) where state in ('planned');

create table application (
    application_id text not null primary key,
    version bigint not null,
    notification_id text not null references notification (notification_id),
    client_id text not null references client (client_id),
    received_on text not null,
    due_on text not null,
    stage text not null check (stage in ('open', 'withdrawn', 'decided')),
    withdrawn text
);

create index application_by_client on application (client_id);

-- One application at a time waits for a decision (R-ACC-07).
create unique index application_one_open_per_notification on application (notification_id) where stage in ('open');

create table decision (
    decision_id text not null primary key,
    version bigint not null,
    application_id text not null references application (application_id),
    client_id text not null references client (client_id),
    starts_on text,
    ends_on text,
    target_group text,
    deviation text,
    ended text,
    ground text,
    late boolean not null,
    policy_version text not null
);

create index decision_by_client on decision (client_id);

-- An application is decided on once (R-ACC-08).
create unique index decision_one_per_application on decision (application_id);
