-- Which record was split off which other, since that one turned out to be about two persons; who decided so and why (R-REG-26).
-- Words are sealed with the key of the record that was split.
create table client_split (
    split_id text not null primary key,
    client_id text not null,
    new_client_id text not null unique,
    explanation bytea not null,
    split_on text not null,
    split_by text not null,
    split_by_person text not null
);

create index client_split_by_client on client_split (client_id);
