-- Where somebody lives, or is offered a home.
create index allocation_by_client on allocation (client_id);
