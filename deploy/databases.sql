-- A database per service: they share no tables.
create database access;
create database housing;
create database income;
create database aftercare;
create database regie;
create database monitor;

-- And one for the keys of each: leave these out of the ordinary backups (README.md, "Keys and erasure").
create database access_keys;
create database housing_keys;
create database income_keys;
create database aftercare_keys;
create database regie_keys;
create database monitor_keys;
