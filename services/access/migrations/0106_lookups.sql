-- What is looked up by more than its key.
create index stay_by_notification on stay (notification_id);
create index waiting_entry_by_client on waiting_entry (client_id, joined_on);
create index place_claim_by_client on place_claim (client_id, claimed_on);
