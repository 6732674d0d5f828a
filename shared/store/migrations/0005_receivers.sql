-- Where an event is in the feed, beside who it is addressed to: a partner's page is read in order, however much there is.
alter table feed_receiver add column position bigint;

update feed_receiver set position = (select position from feed_event e where e.event_id = feed_receiver.event_id);

create index feed_receiver_place on feed_receiver (organisation, position);
create index feed_receiver_unplaced on feed_receiver (event_id) where position is null;

-- Whether an event is the last that belongs to a relation.
create index relation_ended on relation (client_id, organisation, ended_at) where ended_at is not null;
