-- A database per service: they share no tables.
create database access;
create database housing;
create database income;
create database aftercare;
create database regie;
create database monitor;
