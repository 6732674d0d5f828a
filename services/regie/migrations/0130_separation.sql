-- Who are never placed together, marked for one client from another (R-REG-28). Each row stands by itself: who marks the same
-- from the other side learns nothing of this one.
create table separation (
    separation_id text not null primary key,
    client_id text not null,
    other_client_id text not null,
    ground text not null,
    marked_on text not null,
    marked_by text not null,
    marked_by_person text not null,
    ended_on text,
    ended_by_person text
);

create unique index separation_one_standing on separation (client_id, other_client_id) where ended_on is null;
