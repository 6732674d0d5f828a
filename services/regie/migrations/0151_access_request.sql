-- R-REG-21: requests for access that people answer, each with its month, who was established to ask, and the answer.
create table access_request (
    access_request_id text not null primary key,
    client_id text not null,
    requested_on text not null,
    answer_by text not null,
    checked_on text,
    checked_by text,
    extension_ground text,
    told_on text,
    answer text,
    ground text,
    way text,
    answered_on text,
    answered_by text
);

-- One request at a time waits for an answer.
create unique index access_request_one_open on access_request (client_id) where answer is null;
create index access_request_by_client on access_request (client_id, access_request_id);
