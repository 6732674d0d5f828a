-- Whose place is secret, as regie told (R-REG-18).
create table shield (
    client_id text not null primary key
);
