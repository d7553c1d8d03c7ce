#!/bin/sh
# Made by: config-center container write
# A Sentinel writes what it finds out into its settings: they are made once, in the volume.
set -eu
umask 077
if [ ! -s /data/sentinel.conf ]; then
  password="$(cat /run/secrets/cache_password)"
  cat > /data/sentinel.conf.new <<END
port 26379
dir /data
requirepass $password
sentinel sentinel-pass $password
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $(hostname)
sentinel deny-scripts-reconfig yes
sentinel monitor config-center $PRIMARY 6379 2
sentinel auth-pass config-center $password
sentinel down-after-milliseconds config-center 5000
sentinel failover-timeout config-center 60000
sentinel parallel-syncs config-center 1
END
  mv /data/sentinel.conf.new /data/sentinel.conf
fi
exec redis-sentinel /data/sentinel.conf
