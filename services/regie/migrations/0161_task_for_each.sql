-- A task about one thing can be on the lists of several: a separation that is not held to is looked at by everybody who protects
-- the client (R-REG-28).
drop index task_once;
create unique index task_once on task (kind, client_id, subject, organisation, role) where state <> 'finished';
