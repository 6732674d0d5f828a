-- How many keys went at once: 0 when nothing was sealed here. Not known of what was destroyed before this was kept.
alter table destroyed_key add column keys bigint not null default 0;

create index destroyed_key_by_moment on destroyed_key (destroyed_at, why, class);
