#!/bin/bash
# Made by: config-center container write
# A replica begins as a copy of the primary. The copy is taken for the data when it is whole, and not before.
set -euo pipefail
umask 077
export PGPASSFILE=/tmp/pgpass
printf '*:*:*:replicator:%s\n' "$(cat /run/secrets/replication_password)" > "$PGPASSFILE"
if [[ ! -s "$PGDATA/PG_VERSION" ]]; then
  copy="$(dirname "$PGDATA")/copy"
  until rm -rf "$copy" && pg_basebackup -D "$copy" -X stream -c fast -R -S "$REPLICA" \
    -d "host=$PRIMARY user=replicator application_name=$REPLICA passfile=$PGPASSFILE"; do
    sleep 2
  done
  rm -rf "$PGDATA"
  mv "$copy" "$PGDATA"
fi
exec docker-entrypoint.sh "$@"
