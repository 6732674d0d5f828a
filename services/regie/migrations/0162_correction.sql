-- R-REG-21: requests for correction, each with its month and the decision. What was asked and why it was decided so are sealed.
create table correction (
    correction_id text not null primary key,
    client_id text not null,
    concerns text not null,
    words bytea not null,
    by_client boolean not null,
    requested_on text not null,
    answer_by text not null,
    extension_ground text,
    told_on text,
    outcome text,
    ground text,
    explanation bytea,
    decided_on text,
    decided_by text
);

create index correction_by_client on correction (client_id, correction_id);
