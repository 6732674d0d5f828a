-- Who is reached through one organisation only, so that no letter, call or message gives a client away (R-REG-28), as regie
-- told it; empty while none is agreed. Why is regie's alone.
create table contact_through (
    client_id text not null primary key,
    organisation text not null
);
