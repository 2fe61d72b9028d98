#!/bin/sh
# Starts PostgreSQL as the official image does: the first time it makes the
# database and the user of POSTGRES_DB, POSTGRES_USER and POSTGRES_PASSWORD.
set -eu

if [ "$(id -u)" = 0 ]; then
  chown postgres:postgres "$PGDATA"
  chmod 700 "$PGDATA"
  exec gosu postgres "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  secret=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" >"$secret"
  # shellcheck disable=SC2086 # several arguments
  initdb -U "${POSTGRES_USER:-postgres}" --pwfile="$secret" --auth-local=trust --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
  rm "$secret"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
  # Nobody reaches it by TCP while it is made.
  pg_ctl -w -o "-c listen_addresses=" start
  if [ "${POSTGRES_DB:-postgres}" != postgres ]; then
    createdb -U "${POSTGRES_USER:-postgres}" "$POSTGRES_DB"
  fi
  pg_ctl -w -m fast stop
fi
exec "$@"
