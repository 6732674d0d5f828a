-- R-REG-23: when what is held on a client goes. That there was ever a provision decides which term holds; before this was
-- kept, the timeline says so (a decision of then counts as granted: kept rather too long than too short).
create table provision (
    client_id text not null primary key,
    since text not null
);

insert into provision (client_id, since)
select client_id, min(occurred_on) from timeline
where type in ('nl.doorstroom.access.decision-taken', 'nl.doorstroom.access.urgent-provision-decided',
               'nl.doorstroom.access.admitted', 'nl.doorstroom.housing.allocation-accepted')
group by client_id;

-- What a person decided to keep longer, until when and why. Stays when the client's data are gone, under the random id.
create table keeping (
    keeping_id text not null primary key,
    client_id text not null,
    ground text not null,
    until_on text not null,
    decided_on text not null,
    decided_by text not null,
    ended_on text,
    ended_by text
);

create index keeping_by_client on keeping (client_id, keeping_id);

-- Which terms are over, and by which policy. Stays.
create table retention_end (
    retention_id text not null primary key,
    client_id text not null,
    part text not null,
    ground text not null,
    last_day text not null,
    policy_version text not null
);

create index retention_end_by_client on retention_end (client_id);

-- Under which class the words are sealed: a plan that is made after an earlier one was destroyed is part of the file.
alter table goal add column class text not null default 'plan';
alter table client_case add column plan_absence_class text not null default 'plan';

-- Who has been gone since before this is looked at as soon as the service starts.
insert into deadline (kind, subject, client_id, due_at)
select distinct 'retention', client_id, client_id, 0 from client_case where closed_on is not null;
