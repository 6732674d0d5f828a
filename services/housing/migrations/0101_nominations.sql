-- The pool. What regie published about a client's readiness is kept apart: it comes from a feed, and may be there before
-- any nomination (R-HOU-03).
create table readiness (
    client_id text not null primary key,
    ready boolean not null,
    failed text not null,
    since text not null
);

create table nomination (
    nomination_id text not null primary key,
    client_id text not null,
    municipality text not null,
    target_group text not null,
    nominated_by text not null,
    provider text not null,
    nominated_on text not null,
    adults bigint not null,
    children bigint not null,
    age_class text not null,
    income text,
    guarantee_required boolean not null,
    wishes text not null,
    state text not null,
    allocation_id text,
    version bigint not null
);

-- One client waits for one home.
create unique index nomination_one_per_client on nomination (client_id) where state in ('in_pool', 'allocated');

create index nomination_by_waiting on nomination (state, nominated_on);
