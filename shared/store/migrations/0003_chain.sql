-- The access log becomes a chain, so that whoever rewrites it is found out (R-REG-19). `position` is contiguous; a link
-- keeps the hash over every entry up to its position, each hashed together with the hash before it.
create table access_link (
    position bigint not null primary key,
    hash bytea not null
);
