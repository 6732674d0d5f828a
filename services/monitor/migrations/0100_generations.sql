-- Sets of rows. Figures are given from the one that is served; a rebuild fills another one beside it and takes its place.
-- The two indexes say what must never be: two sets served, or two rebuilds at once.

create table generation (
    generation bigint not null primary key,
    state text not null check (state in ('serving', 'building', 'retired', 'abandoned')),
    started_at bigint not null,
    events bigint,
    identical boolean,
    digest text
);

create unique index generation_one_serving on generation (state) where state in ('serving');
create unique index generation_one_building on generation (state) where state in ('building');

insert into generation (generation, state, started_at) values (1, 'serving', 0);
