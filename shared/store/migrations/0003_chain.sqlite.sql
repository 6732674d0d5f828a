
-- The position is the row's own number: the one writer gives the next one as it inserts, without looking it up. SQLite
-- cannot give a table another primary key, so the table is made again.
create table access_log_chained (
    position integer primary key,
    access_id text not null unique,
    occurred_at bigint not null,
    client_id text,
    subject text not null,
    organisation text not null,
    roles text not null,
    on_behalf_of text,
    rpc text not null,
    purpose text not null,
    legal_ground text not null default '',
    categories text not null default '',
    request_id text,
    trace_id text not null default '',
    result text not null
);

insert into access_log_chained
    (access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc, purpose, request_id, result)
select access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc, purpose, request_id, result
from access_log order by access_id;

drop table access_log;
alter table access_log_chained rename to access_log;
create index access_log_by_client on access_log (client_id, occurred_at, access_id);

-- What was logged stays as it is.
create trigger access_log_is_never_changed before update on access_log
begin select raise(abort, 'the access log is append-only'); end;
create trigger access_log_is_never_cut before delete on access_log
begin select raise(abort, 'the access log is append-only'); end;
create trigger access_link_is_never_changed before update on access_link
begin select raise(abort, 'the links of the access log are append-only'); end;
create trigger access_link_is_never_cut before delete on access_link
begin select raise(abort, 'the links of the access log are append-only'); end;
