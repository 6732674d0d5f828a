
create trigger authorisation_protocol_is_never_changed before update or delete or truncate on authorisation_protocol
    for each statement execute function append_only();

-- The columns that came later are guarded as the first are.
create trigger access_log_of_later_is_never_changed before update of
    access_point, consents, emergency_id, protocol, standing on access_log
    for each statement execute function append_only();
