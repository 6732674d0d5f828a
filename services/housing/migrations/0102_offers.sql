-- Offers, with what the ranking said when they were made and who decided (R-REG-25).
create table offer (
    offer_id text not null primary key,
    dwelling_id text not null references dwelling (dwelling_id),
    nomination_id text not null references nomination (nomination_id),
    client_id text not null,
    corporation text not null,
    provider text not null,
    municipality text not null,
    rent_cents bigint not null,
    adults bigint not null,
    children bigint not null,
    age_class text not null,
    income text,
    income_tested_on text,
    guarantee_required boolean not null,
    lease_start_on text not null,
    offered_on text not null,
    answer_until text not null,
    place bigint,
    parts text not null,
    deviation text,
    decided_by text not null,
    policy_version text not null,
    state text not null,
    client_accepted boolean not null,
    corporation_accepted boolean not null,
    reason text,
    upheld boolean,
    dwelling_taken boolean,
    version bigint not null
);

-- Many offers of a dwelling may be open, but only one to the same candidate.
create unique index offer_one_open on offer (dwelling_id, nomination_id) where state in ('open');

create index offer_by_nomination on offer (nomination_id, state);
create index offer_by_client on offer (client_id, offered_on);
create index offer_by_corporation on offer (corporation, offered_on);

-- Where the client's own word can be found, when somebody else answered or signed (R-HOU-29). Sealed: it is free text.
create table evidence (
    subject text not null,
    what text not null,
    given_by text not null,
    document bytea not null,
    recorded_at bigint not null,
    primary key (subject, what)
);
