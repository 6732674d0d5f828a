-- R-REG-21: what each client may do with the own file is looked at as soon as the service starts, for those who were there
-- before; birth dates are sealed, so that no query can tell.
insert into deadline (kind, subject, client_id, due_at)
select 'own_access', client_id, client_id, 0 from client;
