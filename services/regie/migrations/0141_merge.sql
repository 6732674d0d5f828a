-- Which record of a person points to which other, who decided so and why (R-REG-26). Words are sealed. A row stays when the merge
-- was undone; which record is used now is in the shared table `merged`.
create table client_merge (
    merge_id text not null primary key,
    client_id text not null,
    kept_client_id text not null,
    explanation bytea not null,
    merged_on text not null,
    merged_by text not null,
    merged_by_person text not null,
    undone_on text,
    undone_explanation bytea,
    undone_by_person text
);

-- A record points to one other at most, whatever the code does.
create unique index client_merge_one_standing on client_merge (client_id) where undone_on is null;
create index client_merge_by_kept on client_merge (kept_client_id);
