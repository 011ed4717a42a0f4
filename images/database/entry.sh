#!/bin/sh
# First start: makes the cluster and the database `mlflow`, whole or not at all. Every start: becomes the server.
set -eu
password=/run/secrets/database/password
[ -s "$password" ] || {
    echo "database: $password is empty or missing, and a database without a password is not started" >&2
    exit 1
}
if [ ! -s "$PGDATA/ready" ]; then
    find "$PGDATA" -mindepth 1 -delete # what a first start that was killed has left
    initdb -D "$PGDATA" -U mlflow --auth-local=reject --auth-host=scram-sha-256 --pwfile="$password" \
        -E UTF8 --locale=C.UTF-8 >/tmp/initdb.log
    echo "host mlflow mlflow samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "CREATE DATABASE mlflow OWNER mlflow" | postgres --single -D "$PGDATA" postgres >/dev/null
    echo mlflow >"$PGDATA/ready"
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=
