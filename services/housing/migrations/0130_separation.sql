-- Who never lives near whom, as regie told: the pair, and no reason (R-REG-28).
create table separation (
    separation_id text not null primary key,
    client_id text not null,
    other_client_id text not null
);

create index separation_by_client on separation (client_id);
create index separation_by_other on separation (other_client_id);

-- Where the other lives, or is offered a home.
create index allocation_by_client on allocation (client_id);
