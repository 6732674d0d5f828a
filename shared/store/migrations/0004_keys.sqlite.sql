
-- What was destroyed stays destroyed.
create trigger destroyed_key_is_never_changed before update on destroyed_key
begin select raise(abort, 'a destroyed key stays destroyed'); end;
create trigger destroyed_key_is_never_cut before delete on destroyed_key
begin select raise(abort, 'a destroyed key stays destroyed'); end;
