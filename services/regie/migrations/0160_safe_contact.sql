-- How a client is reached whom no letter, call or message may give away, since when, and who said so (R-REG-28). A row stays
-- when it ended or another took its place. No organisation stands in it while none is agreed: a shield brings safe contact.
create table safe_contact (
    safe_contact_id text not null primary key,
    client_id text not null,
    through text,
    ground text not null,
    since text not null,
    by_client boolean not null,
    set_by text not null,
    set_by_person text not null,
    ended_on text,
    ended_by_person text
);

create unique index safe_contact_one_standing on safe_contact (client_id) where ended_on is null;
