
create trigger authorisation_protocol_is_never_changed before update on authorisation_protocol
begin select raise(abort, 'what was judged by is append-only'); end;
create trigger authorisation_protocol_is_never_cut before delete on authorisation_protocol
begin select raise(abort, 'what was judged by is append-only'); end;
