-- What income keeps: one open benefit request per client, one start and one guarantee per allocation (P3), and whether
-- income of one's own is verified and finances are stabilised. Nested facts are JSON; everything asked for is a column.

create table benefit_request (
    benefit_request_id text not null primary key,
    client_id text not null,
    version bigint not null,
    state text not null,
    authority text not null,
    reported_on text,
    search_term text,
    short_reapplication boolean not null,
    running_at text,
    partner_id text,
    circumstances text,
    prepared boolean not null,
    application text,
    benefit text,
    -- The last day of a benefit that has an end: a short re-application looks back at it (R-INC-12).
    ended_on text,
    refusal text,
    advances_cents bigint not null,
    withdrawn text,
    -- What comes first of decision and advance: the order of the work list.
    due_on text,
    -- The policy by which it was last judged.
    policy_version text not null
);

-- One open request per client; the household's is the applicant's (R-INC-25).
create unique index benefit_request_one_open_per_client
    on benefit_request (client_id) where state not in ('withdrawn', 'ended');

create index benefit_request_by_partner on benefit_request (partner_id);

-- One start per allocation, whatever is delivered twice: P3 rests on this key. A fallen start stays, so that it can never
-- be asked again (P4).
create table benefit_start (
    allocation_id text not null primary key,
    benefit_request_id text not null references benefit_request (benefit_request_id),
    state text not null,
    lease_start_on text not null,
    start_on text not null,
    rent_cents bigint not null,
    authority_before text not null
);

create unique index benefit_start_one_current_per_request
    on benefit_start (benefit_request_id) where state = 'current';

create table own_income (
    client_id text not null primary key,
    version bigint not null,
    kind text,
    from_on text,
    ends_on text,
    warned boolean not null,
    verified_by text not null
);

create table finances (
    client_id text not null primary key,
    version bigint not null,
    stabilised_since text,
    stated_by text not null
);

-- One guarantee per allocation (P3).
create table rent_guarantee (
    guarantee_id text not null primary key,
    allocation_id text not null,
    client_id text not null,
    version bigint not null,
    corporation text not null,
    municipality text not null,
    lease_start_on text not null,
    rent_cents bigint not null,
    asked_on text not null,
    state text not null,
    -- A warning of what comes next went out: of silence before the decision, of the end after it.
    told boolean not null,
    cap_cents bigint,
    ends_on text,
    reason text,
    bridging boolean,
    refusal text,
    policy_version text not null
);

create unique index rent_guarantee_one_per_allocation on rent_guarantee (allocation_id);

create index rent_guarantee_by_client on rent_guarantee (client_id);

create index rent_guarantee_to_decide on rent_guarantee (asked_on, guarantee_id) where state = 'requested';
