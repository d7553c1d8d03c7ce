#!/bin/sh
# Made by: config-center container write
# Redis changes its settings when another server becomes the primary: they are made once, in the volume.
set -eu
umask 077
if [ ! -s /data/redis.conf ]; then
  password="$(cat /run/secrets/cache_password)"
  {
    cat /config/redis.conf
    printf 'requirepass %s\nmasterauth %s\nreplica-announce-ip %s\n' "$password" "$password" "$(hostname)"
    [ -z "${PRIMARY:-}" ] || printf 'replicaof %s 6379\n' "$PRIMARY"
  } > /data/redis.conf.new
  mv /data/redis.conf.new /data/redis.conf
fi
exec redis-server /data/redis.conf
