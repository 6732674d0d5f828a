-- Regie: the client's one file and what keeps the chain together. The state row is the truth; who held the case, scores,
-- relations, consents, the municipality's word on a gate and the timeline are rows that are only added to or ended.

create table client_case (
    case_id text not null primary key,
    client_id text not null,
    version bigint not null,
    municipality text not null,
    opened_on text not null,
    opened_at bigint not null,
    closed_on text,
    close_reason text,
    holder_person text,
    holder_organisation text,
    holder_deputy text,
    supervisor_person text,
    supervisor_organisation text,
    supervisor_changes bigint not null,
    plan_edition bigint not null,
    plan_adopted_on text,
    plan_absence bytea,
    guidance text
);

-- R-ACC-13 rests on this index: whatever the code does, a client has at most one open case.
create unique index client_case_one_open on client_case (client_id) where closed_on is null;
create index client_case_by_client on client_case (client_id, opened_at);
create index client_case_by_opening on client_case (opened_at, case_id);

-- R-REG-02: who held the case and who guided, from when and why.
create table assignment (
    assignment_id text not null primary key,
    case_id text not null references client_case (case_id),
    kind text not null,
    person text not null,
    organisation text not null,
    deputy text,
    since text not null,
    reason text not null,
    recorded_at bigint not null
);

create index assignment_by_case on assignment (case_id, recorded_at);

-- R-REG-03: the goal's text is the client's own words, and sealed.
create table goal (
    goal_id text not null primary key,
    case_id text not null references client_case (case_id),
    domain text not null,
    words bytea not null,
    owner text not null,
    due_on text not null,
    outcome text,
    decided_on text
);

create index goal_by_case on goal (case_id);

create table scoring (
    scoring_id text not null primary key,
    case_id text not null references client_case (case_id),
    moment text not null,
    scored_on text not null,
    levels text not null,
    recorded_at bigint not null
);

create index scoring_by_case on scoring (case_id, recorded_at);

create table consent (
    consent_id text not null primary key,
    client_id text not null,
    category text not null,
    receiver text not null,
    purpose text not null,
    text_version text not null,
    given_on text not null,
    withdrawn_on text
);

create index consent_by_client on consent (client_id);

-- What the shared table `relation` is the projection of: with role, what it comes from, and dates.
create table client_relation (
    relation_id text not null primary key,
    client_id text not null,
    organisation text not null,
    person text,
    role text not null,
    kind text not null,
    subject text,
    since text not null,
    ended_on text
);

create index client_relation_by_client on client_relation (client_id);

create table task (
    task_id text not null primary key,
    version bigint not null,
    kind text not null,
    client_id text,
    subject text not null,
    organisation text not null,
    person text,
    state text not null,
    taken_by text,
    outcome text,
    opened_at bigint not null,
    due_on text not null,
    warn_on text,
    warned boolean not null,
    overdue boolean not null,
    cause text
);

-- A thing to do stands on the lists once.
create unique index task_once on task (kind, client_id, subject) where state <> 'finished';
create index task_by_organisation on task (organisation, due_on, task_id) where state <> 'finished';

-- What other services told that readiness depends on, and the answer that was published last (R-HOU-03).
create table readiness (
    client_id text not null primary key,
    facts text not null,
    failed text not null,
    since text not null
);

-- The processes of a client: what the feeds told and what was brought about.
create table flow (
    client_id text not null primary key,
    flow text not null
);

-- A projection of housing's allocations and aftercare: for the file, the gate and the end of the case.
create table client_move (
    allocation_id text not null primary key,
    client_id text not null,
    lease_start_on text not null,
    signed boolean not null,
    fell boolean not null,
    landed boolean not null,
    gate_ground text
);

create index client_move_by_client on client_move (client_id);

-- P2: the municipality's own word on a gate; the newest one stands. The explanation is sealed.
create table gate_word (
    word_id text not null primary key,
    allocation_id text not null,
    client_id text not null,
    opens boolean not null,
    reason text,
    explanation bytea,
    decided_by text not null,
    decided_at bigint not null
);

create index gate_word_by_allocation on gate_word (allocation_id, decided_at, word_id);

-- What happened to a client in every service: codes and dates, nothing about the person. Only ever added to.
create table timeline (
    event_id text not null primary key,
    client_id text not null,
    type text not null,
    occurred_on text not null,
    recorded_at bigint not null
);

create index timeline_by_client on timeline (client_id, recorded_at, event_id);

-- What regie asks of other services: one row per command, kept for good. Per client they leave in the order of `place`;
-- the id is the request id, derived from the event that caused it, so that sending again changes nothing (P3).
create table outgoing_command (
    command_id text not null primary key,
    client_id text not null,
    place bigint not null,
    step text not null,
    command text not null,
    state text not null,
    refusal text,
    queued_at bigint not null,
    unique (client_id, place)
);

create index outgoing_command_waiting on outgoing_command (client_id, place) where state = 'waiting';

-- Which allocation an aftercare belongs to: aftercare's later events name only itself.
create table aftercare_of (
    aftercare_id text not null primary key,
    allocation_id text not null
);
