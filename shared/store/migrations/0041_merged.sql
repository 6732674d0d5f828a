-- Which record points to which other, since both are of one person (R-REG-26): nothing new is recorded in the one that points.
create table merged (
    client_id text not null primary key,
    kept_client_id text not null
);

create index merged_by_kept on merged (kept_client_id);
