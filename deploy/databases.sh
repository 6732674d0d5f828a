#!/bin/sh
# A database per service, one for its keys, and a role that owns these two and can open no other. The keys stay out of the
# ordinary backups (README.md, "Keys and erasure"). Run once, by whoever manages the server, with
# the password of each service in ACCESS_PASSWORD, HOUSING_PASSWORD and so on.
set -eu
for service in access housing income aftercare regie monitor; do
    password=$(printenv "$(echo "$service" | tr '[:lower:]' '[:upper:]')_PASSWORD")
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set service="$service" --set keys="${service}_keys" --set password="$password" <<'SQL'
create role :"service" login password :'password';
create database :"service" owner :"service";
revoke all on database :"service" from public;
create database :"keys" owner :"service";
revoke all on database :"keys" from public;
SQL
done
