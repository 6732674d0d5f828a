-- What is agreed and what there is. A contingent is one row per corporation, municipality, year and group, so that every
-- allocation draws from exactly one (R-HOU-01); its former numbers stay on record.
create table contingent (
    contingent_id text not null primary key,
    corporation text not null,
    municipality text not null,
    year bigint not null,
    target_group text not null,
    places bigint not null,
    drawn bigint not null,
    realised bigint not null,
    version bigint not null,
    check (realised <= drawn and drawn <= places)
);

create unique index contingent_one_per_group on contingent (corporation, municipality, year, target_group);

create table contingent_change (
    contingent_id text not null references contingent (contingent_id),
    version bigint not null,
    places bigint not null,
    reason text,
    changed_on text not null,
    recorded_at bigint not null,
    primary key (contingent_id, version)
);

-- The address is sealed: once somebody lives there, it is personal.
create table dwelling (
    dwelling_id text not null primary key,
    corporation text not null,
    bag_object_id text not null,
    unit_suffix text not null,
    unit_number text not null,
    address bytea not null,
    municipality text not null,
    district text not null,
    neighbourhood text not null,
    kind text not null,
    form text not null,
    rent_cents bigint not null,
    floor_area_m2 bigint not null,
    rooms bigint not null,
    max_persons bigint not null,
    available_on text not null,
    state text not null,
    version bigint not null
);

-- One object is registered once, whichever corporation comes (R-HOU-26).
create unique index dwelling_one_registration
    on dwelling (bag_object_id, unit_suffix) where state in ('registered');

create index dwelling_by_corporation on dwelling (corporation, available_on);
