-- Allocations, from the moment that all accepted until the lease ends.
create table allocation (
    allocation_id text not null primary key,
    offer_id text not null references offer (offer_id),
    nomination_id text not null references nomination (nomination_id),
    dwelling_id text not null references dwelling (dwelling_id),
    client_id text not null,
    corporation text not null,
    provider text not null,
    municipality text not null,
    neighbourhood text not null,
    contingent_id text not null references contingent (contingent_id),
    form text not null,
    lease_start_on text not null,
    rent_cents bigint not null,
    guarantee_required boolean not null,
    suitability text not null,
    accepted_at bigint not null,
    accepted_on text not null,
    agreement text,
    state text not null,
    gate text,
    reason text,
    keys_on text,
    ended_on text,
    version bigint not null
);

-- One home, one household. P1 rests on this index: whatever the code does, the database refuses a second live allocation
-- of a dwelling.
create unique index allocation_one_live_per_dwelling
    on allocation (dwelling_id) where state in ('accepted', 'agreement_signed', 'lease_signed', 'keys_handed_over');

-- And one household, one home on its way.
create unique index allocation_one_live_per_nomination
    on allocation (nomination_id) where state in ('accepted', 'agreement_signed', 'lease_signed');

-- An offer becomes an allocation once (P3).
create unique index allocation_one_per_offer on allocation (offer_id);

create index allocation_by_year on allocation (corporation, accepted_on);
create index allocation_by_place on allocation (municipality, accepted_on);
