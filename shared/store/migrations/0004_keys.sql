-- Which key store opens what is sealed here (one row), and which keys were destroyed. Both sides keep the latter, so that
-- either one, put back from an older copy, is set right by the other (R-REG-22).
create table key_store (
    key_store_id text not null primary key
);

-- `class` is empty when every key of the client went, those that were never made included.
create table destroyed_key (
    client_id text not null,
    class text not null,
    destroyed_at bigint not null,
    destroyed_by text not null,
    why text not null,
    primary key (client_id, class)
);
