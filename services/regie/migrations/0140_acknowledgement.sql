-- On which day a task came off the list: of a correction, when it was acknowledged (R-REG-26). Not known of earlier ones.
alter table task add column finished_on text;
