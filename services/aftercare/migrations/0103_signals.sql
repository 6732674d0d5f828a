-- Signals. What was seen and what was done is free text and sealed; the text of an unverified one is emptied in time.
create table signal (
    signal_id text not null primary key,
    version bigint not null,
    client_id text not null,
    municipality text,
    kind text not null,
    severity text not null,
    unverified boolean not null,
    reported_by text,
    received_at bigint not null,
    answer_by text not null,
    debt_help_only boolean not null,
    night text,
    reports bigint not null,
    report bytea,
    closing_note bytea,
    guarantee boolean not null,
    taken_up_by text,
    taken_up_at bigint,
    state text not null,
    caseholder_until bigint,
    remind_on text,
    outcome text,
    forget_on text
);

-- P6: reports about one client in one night come together in one signal as long as it is open, also when they race.
create unique index signal_one_open_per_night on signal (client_id, night) where state <> 'closed';

create index signal_by_client on signal (client_id);

-- The teams that were responsible when a signal came in; fixed then (P5).
create table signal_team (
    organisation text not null,
    signal_id text not null references signal (signal_id),
    primary key (organisation, signal_id)
);

create index signal_team_by_signal on signal_team (signal_id);

-- Teams that asked for a client's signals, from when until when.
create table subscription (
    client_id text not null,
    organisation text not null,
    since bigint not null,
    until bigint,
    primary key (client_id, organisation, since)
);

-- Which municipality a client's case is in, as regie says.
create table client (
    client_id text not null primary key,
    municipality text not null
);

-- Debt help with a relation to a client, as regie grants and ends it: facts about money go there (R-AFT-05, R-AFT-17).
create table debt_help (
    relation_id text not null primary key,
    client_id text not null,
    organisation text not null
);

create index debt_help_by_client on debt_help (client_id);
