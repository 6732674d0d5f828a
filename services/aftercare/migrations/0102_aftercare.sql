-- Aftercare and its schedule of contacts, together in one row: they share a version.
create table aftercare (
    aftercare_id text not null primary key,
    version bigint not null,
    client_id text not null,
    allocation_id text not null,
    municipality text not null,
    started_on text not null,
    until_on text not null,
    reviews text not null,
    announce_on text,
    outcome text,
    ended_on text,
    next_contact_on text not null,
    overdue_from text not null,
    missed bigint not null,
    last_contact_on text,
    last_contact_result text
);

-- P3: an allocation has one aftercare.
create unique index aftercare_one_per_allocation on aftercare (allocation_id);

create index aftercare_by_client on aftercare (client_id);

-- Contacts, held and missed, only ever added to. Without a form and an organisation: nobody recorded it in time.
create table contact (
    contact_id text not null primary key,
    aftercare_id text not null references aftercare (aftercare_id),
    contact_on text not null,
    result text not null,
    form text,
    organisation text,
    recorded_at bigint not null
);

create index contact_by_aftercare on contact (aftercare_id, contact_on);
