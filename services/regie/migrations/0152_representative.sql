-- R-REG-21: who reads the file of a client under 16 as the client would, since when, on what ground and until when. What
-- counts for rights is in the shared table `representative`.
create table client_representative (
    representative_id text not null primary key,
    client_id text not null,
    represented_by text not null,
    ground text not null,
    from_on text not null,
    last_day text,
    recorded_on text not null,
    ended_on text
);

create index client_representative_by_client on client_representative (client_id, representative_id);
