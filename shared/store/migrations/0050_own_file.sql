-- Who reads a file as the client's own (R-REG-21): under 12 nobody but the legal representative, from 12 up to and including
-- 15 the client too, from 16 the client alone. Access alone knows how old somebody is; here stands only what may be done. Who
-- is not in it reads the own file: an adult of whom nothing was heard yet is never shut out.
create table own_access (
    client_id text not null primary key,
    level text not null
);

-- Who stands in for whom. Apart from the relations, so that nothing that goes by a relation can take one for it.
create table representative (
    representative_id text not null primary key,
    client_id text not null,
    represented_by text not null,
    granted_at bigint not null,
    ended_at bigint
);

create index representative_standing on representative (client_id, represented_by) where ended_at is null;
