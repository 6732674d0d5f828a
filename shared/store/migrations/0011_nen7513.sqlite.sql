-- What NEN 7513 asks of an entry beside who, what and when (R-REG-19): how the caller came in, the consents and the emergency
-- access by which something was read, and the table of rights by which it was judged. Entries of before have none of them,
-- and are hashed as they were. The triggers refuse a change of these columns too.
alter table access_log add column access_point text;
alter table access_log add column consents text;
alter table access_log add column emergency_id text;
alter table access_log add column protocol text;
