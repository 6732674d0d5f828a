
-- What was destroyed stays destroyed.
create function stays_destroyed() returns trigger language plpgsql as $$
begin
    raise exception 'a destroyed key stays destroyed';
end
$$;
create trigger destroyed_key_is_never_changed before update or delete or truncate on destroyed_key
    for each statement execute function stays_destroyed();
