
-- Transactions commit in any order, so one assigner stamps positions on what is committed.
alter table access_log
    add column position bigint unique,
    add column legal_ground text not null default '',
    add column categories text not null default '',
    add column trace_id text not null default '';
create index access_log_unstamped on access_log (access_id) where position is null;

-- What was logged stays as it is; a position is stamped once.
create function append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end
$$;
create trigger access_log_is_never_cut before delete or truncate on access_log
    for each statement execute function append_only();
create trigger access_log_is_never_changed before update of
    access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc, purpose, legal_ground, categories,
    request_id, trace_id, result on access_log
    for each statement execute function append_only();
create trigger access_log_is_stamped_once before update on access_log
    for each row when (old.position is not null) execute function append_only();
create trigger access_link_is_never_changed before update or delete or truncate on access_link
    for each statement execute function append_only();
