-- The step of a trace (`traceparent`) that made an event, so that what follows from it is found back.
alter table feed_event add column trace text not null default '';
