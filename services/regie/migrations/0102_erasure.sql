-- Requests for erasure, and what was decided on each: a refusal is a decision too (R-REG-22). They stay when the client is
-- erased, under the random id: that it was done must be shown.
create table erasure (
    erasure_id text not null primary key,
    client_id text not null,
    requested_on text not null,
    decide_by text not null,
    decision text,
    ground text,
    decided_on text,
    decided_by text
);

-- One request at a time waits for a decision.
create unique index erasure_one_open on erasure (client_id) where decision is null;
