-- The step of a trace in which a command was queued, so that what it brings about elsewhere is found back.
alter table outgoing_command add column trace text not null default '';
