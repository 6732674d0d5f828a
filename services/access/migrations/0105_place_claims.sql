-- Places kept for somebody with nowhere to sleep tonight (P6).
create table place_claim (
    claim_id text not null primary key,
    version bigint not null,
    client_id text not null references client (client_id),
    facility_id text not null references facility (facility_id),
    signal_id text not null,
    level text not null,
    claimed_on text not null,
    until_on text not null,
    without_procedure boolean not null,
    state text not null check (state in ('standing', 'released')),
    released_reason text
);

-- A signal is answered with one place, and a client holds one at a time.
create unique index place_claim_one_per_signal on place_claim (signal_id);
create unique index place_claim_one_standing_per_client on place_claim (client_id) where state in ('standing');

create index place_claim_by_facility on place_claim (facility_id) where state in ('standing');
