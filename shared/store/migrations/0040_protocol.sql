-- Every decision can be made again (R-REG-19): what calls were judged by, each version as it was, and in each entry how the
-- caller stood to the client. `standing` is null where that was not asked, and in entries of before; those are hashed as they
-- were.
create table authorisation_protocol (
    version text not null primary key,
    words text not null,
    kept_at bigint not null
);

alter table access_log add column standing text;
