-- Who is never placed together, as regie told: the pair, and no reason (R-REG-28).
create table separation (
    separation_id text not null primary key,
    client_id text not null,
    other_client_id text not null
);

create index separation_by_client on separation (client_id);
create index separation_by_other on separation (other_client_id);

-- Whose place is secret, as regie told (R-REG-18).
create table shield (
    client_id text not null primary key
);
