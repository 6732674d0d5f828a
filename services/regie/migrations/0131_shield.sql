-- Whose place is secret, and who said so (R-REG-18). A row stays when the shield has ended.
create table shield (
    shield_id text not null primary key,
    client_id text not null,
    since text not null,
    shielded_by text not null,
    shielded_by_person text not null,
    ended_on text,
    ended_by_person text
);

create unique index shield_one_standing on shield (client_id) where ended_on is null;
