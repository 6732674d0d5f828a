-- The key store of one service: a database of its own, so that whoever has a copy of the service's database has no keys.
create table key_store (
    service text not null primary key,
    key_store_id text not null
);

-- One random key per client and retention class, wrapped by a master key that is kept in neither database. The service's
-- own key, for what is about no client, has an empty client_id. A destroyed key has no row here and one in destroyed_key.
create table data_key (
    client_id text not null,
    class text not null,
    master text not null,
    wrapped bytea not null,
    primary key (client_id, class)
);

create index data_key_by_master on data_key (master, client_id, class);

-- `class` is empty when every key of the client went, those that were never made included.
create table destroyed_key (
    client_id text not null,
    class text not null,
    destroyed_at bigint not null,
    destroyed_by text not null,
    why text not null,
    primary key (client_id, class)
);
