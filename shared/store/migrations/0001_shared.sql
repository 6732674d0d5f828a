-- What every service keeps beside its own state.

-- The feed: what happened here, in the order in which it was committed. `position` is contiguous and stamped on committed
-- rows by one assigner; a cursor never names the insert order.
create table feed_event (
    event_id text not null primary key,
    position bigint unique,
    type text not null,
    client_id text,
    occurred_on text not null,
    recorded_at bigint not null,
    payload bytea not null
);

create index feed_event_unstamped on feed_event (event_id) where position is null;

-- Which partner organisations an event is addressed to, fixed when it happened. Services of the chain receive everything.
create table feed_receiver (
    organisation text not null,
    event_id text not null references feed_event (event_id),
    primary key (organisation, event_id)
);

create table feed_subscription (
    organisation text not null,
    name text not null,
    acknowledged bigint not null,
    acknowledged_at bigint not null,
    primary key (organisation, name)
);

-- One row: the life of this database. A restored copy gets another epoch, so that subscribers notice.
create table feed_epoch (
    epoch bigint not null primary key
);

-- How far this service has taken in the feed of another.
create table inbox (
    source text not null primary key,
    cursor text not null
);

-- The first answer to every call that changed something (P3).
create table answered_call (
    organisation text not null,
    rpc text not null,
    request_id text not null,
    request_hash bytea not null,
    response bytea not null,
    answered_at bigint not null,
    primary key (organisation, rpc, request_id)
);

-- Who did what with whose data, refusals included (R-REG-19). Only ever added to.
create table access_log (
    access_id text not null primary key,
    occurred_at bigint not null,
    client_id text,
    subject text not null,
    organisation text not null,
    roles text not null,
    on_behalf_of text,
    rpc text not null,
    purpose text not null,
    request_id text,
    result text not null
);

create index access_log_by_client on access_log (client_id, occurred_at, access_id);

-- Who has to do with which client now: this service's own rows, and the projection of what regie grants and ends.
-- `person` is empty when the whole organisation has the relation.
create table relation (
    relation_id text not null primary key,
    client_id text not null,
    organisation text not null,
    person text not null,
    kind text not null,
    granted_at bigint not null,
    ended_at bigint
);

create index relation_by_client on relation (client_id, organisation) where ended_at is null;
create index relation_by_organisation on relation (organisation, client_id) where ended_at is null;

-- What must be looked at again, and when. A row is woken once and then gone.
create table deadline (
    kind text not null,
    subject text not null,
    client_id text,
    due_at bigint not null,
    primary key (kind, subject)
);

create index deadline_by_moment on deadline (due_at);
