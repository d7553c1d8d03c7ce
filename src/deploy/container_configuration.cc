// What the components of others read in containers. Names are those of the network, ports the usual ones, and secrets
// are read from their files when a service starts.
#include <fmt/format.h>

#include "deploy/container.h"
#include "deploy/container_services.h"
#include "deploy/database.h"
#include "deploy/monitoring.h"

namespace cc::deploy {
namespace {

// --- HAProxy ---

// Long polls are waits of up to a minute: time limits are above that, and the least busy node gets the next.
// POST is not repeated: the node may have done what was asked before it was gone.
constexpr std::string_view kHaproxy = R"(# Made by: config-center container write
global
    log stdout format raw local0
    maxconn 8000
    hard-stop-after 90s

defaults
    log global
    mode http
    option httplog
    option dontlognull
    option redispatch
    retries 2
    retry-on conn-failure empty-response
    timeout connect 5s
    timeout client 70s
    timeout server 70s
    timeout http-request 10s
    timeout http-keep-alive 15s
    timeout queue 10s
    timeout tunnel 1h
    timeout check 3s
    default-server inter 1s fastinter 500ms downinter 1s fall 2 rise 2 check resolvers names init-addr last,libc,none

# Docker's, where a container that is made anew has another address.
resolvers names
    nameserver docker 127.0.0.11:53
    hold valid 2s

frontend clients
    bind :{0}
    option forwardfor
    http-request set-header X-Request-Id %[uuid()] unless {{ req.hdr(X-Request-Id) -m found }}
    http-request disable-l7-retry if !{{ method GET HEAD OPTIONS }}
    default_backend nodes

backend nodes
    balance leastconn
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host config-center
    http-check expect status 200
)";

constexpr std::string_view kHaproxyStatistics = R"(
frontend statistics
    bind :8404
    http-request use-service prometheus-exporter if { path /metrics }
    stats enable
    stats uri /
    no log
)";

std::string haproxy(const Topology& topology, const Services& services) {
  std::string out = fmt::format(kHaproxy, topology.app.port);
  for (const ContainerService& node : services.nodes)
    out += fmt::format("    server {0} {0}:{1}\n", node.name, topology.app.port);
  return out + std::string(kHaproxyStatistics);
}

// --- PostgreSQL ---

constexpr std::string_view kPostgres = R"(# Made by: config-center container write
listen_addresses = '*'
hba_file = '/config/pg_hba.conf'
password_encryption = 'scram-sha-256'
wal_level = 'replica'
max_wal_senders = 10
max_replication_slots = 10
wal_keep_size = '512MB'
# A replica that is gone does not fill the disk.
max_slot_wal_keep_size = '8GB'
wal_log_hints = on
hot_standby = on
)";

std::string postgres(const Topology& topology, const Services& services) {
  std::string out(kPostgres);
  std::string replicas;
  for (std::size_t i = 1; i < services.databases.size(); ++i)
    replicas += fmt::format("{}{}", replicas.empty() ? "" : ", ", replication_slot(services.databases[i].host));
  // Whoever is told that something is in the archive finds it on one replica at least.
  if (!replicas.empty()) out += fmt::format("synchronous_standby_names = 'ANY 1 ({})'\n", replicas);
  for (const auto& [name, value] : topology.database->settings)
    out += fmt::format("{} = {}\n", name, quoted_setting(value));
  return out;
}

// The user postgres comes by the socket alone.
std::string access(const Database& database, bool replicated) {
  std::string out = fmt::format(
      "# Made by: config-center container write\nlocal all postgres peer\nhost \"{}\" \"{}\" all scram-sha-256\n",
      database.database, database.username);
  if (replicated) out += "host replication replicator all scram-sha-256\n";
  return out;
}

// Nothing of it waits for a replica, of which there is none yet. Passwords come from their files, not from a command
// line that others can see.
std::string first_statements(const Topology& topology, const Services& services) {
  const Database& database = *topology.database;
  std::string out = fmt::format(
      "-- Made by: config-center container write\n-- Run once, when the primary begins.\n"
      "SET synchronous_commit = local;\n"
      "\\set password `cat /run/secrets/database_password`\n"
      "CREATE ROLE \"{1}\" LOGIN PASSWORD :'password';\n"
      "CREATE DATABASE \"{0}\" OWNER \"{1}\";\n",
      database.database, database.username);
  if (services.databases.size() > 1) {
    out +=
        "\\set password `cat /run/secrets/replication_password`\n"
        "CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';\n";
    for (std::size_t i = 1; i < services.databases.size(); ++i)
      out += fmt::format("SELECT pg_create_physical_replication_slot('{}');\n",
                         replication_slot(services.databases[i].host));
  }
  return out;
}

constexpr std::string_view kReplica = R"~(#!/bin/bash
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
)~";

// --- Redis ---

// A primary that was replaced while it was away takes no writes that would be lost: it has no replica then.
std::string redis(const Topology& topology, const Services& services) {
  std::string out = fmt::format(
      "# Made by: config-center container write\n"
      "port 6379\ndir /data\nappendonly yes\nmaxmemory {}\nmaxmemory-policy noeviction\n",
      topology.cache->max_memory);
  if (services.caches.size() > 1)
    out +=
        "# Writes that no replica gets would be lost with this server.\nmin-replicas-to-write "
        "1\nmin-replicas-max-lag 10\n";
  return out;
}

// Both change their files themselves, when another server becomes the primary: they are made once, in the volume.
constexpr std::string_view kRedisStart = R"~(#!/bin/sh
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
)~";

constexpr std::string_view kSentinelStart = R"~(#!/bin/sh
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
sentinel monitor {0} $PRIMARY 6379 {1}
sentinel auth-pass {0} $password
sentinel down-after-milliseconds {0} 5000
sentinel failover-timeout {0} 60000
sentinel parallel-syncs {0} 1
END
  mv /data/sentinel.conf.new /data/sentinel.conf
fi
exec redis-sentinel /data/sentinel.conf
)~";

// --- monitoring ---

// Each with its name as that of a host, of which rules speak.
std::string scraped(std::string_view job, const std::vector<ContainerService>& services, Port port,
                    std::string_view path = kUsualMetricsPath) {
  std::string out = fmt::format("  - job_name: {}\n", job);
  if (path != kUsualMetricsPath) out += fmt::format("    metrics_path: {}\n", quoted_text(path, Dollars::as_they_are));
  out += "    static_configs:\n";
  for (const ContainerService& each : services)
    out += fmt::format("      - {{targets: [\"{0}:{1}\"], labels: {{host: \"{0}\"}}}}\n", each.name, port);
  return out;
}

// What the topology asks besides.
std::string scraped(const Monitoring::Target& target) {
  std::string out = fmt::format("  - job_name: {}\n", quoted_text(target.job, Dollars::as_they_are));
  if (!target.path.empty())
    out += fmt::format("    metrics_path: {}\n", quoted_text(target.path, Dollars::as_they_are));
  std::string targets, labels;
  for (const std::string& each : target.targets)
    targets += (targets.empty() ? "" : ", ") + quoted_text(each, Dollars::as_they_are);
  for (const auto& [name, value] : target.labels)
    labels += fmt::format("{}{}: {}", labels.empty() ? "" : ", ", name, quoted_text(value, Dollars::as_they_are));
  return out + fmt::format("    static_configs: [{{targets: [{}], labels: {{{}}}}}]\n", targets, labels);
}

std::string prometheus(const Topology& topology, const Services& services) {
  std::string out = fmt::format(
      "# Made by: config-center container write\n"
      "global:\n"
      "  scrape_interval: {0}\n"
      "  evaluation_interval: {0}\n"
      "  external_labels: {{installation: {1}}}\n"
      "# Rules of your own go there, too.\nrule_files: [/etc/prometheus/rules/*.yml]\n",
      topology.monitoring.scrape_interval, quoted_text(topology.name, Dollars::as_they_are));
  if (topology.alertmanager)
    out += "alerting:\n  alertmanagers: [{static_configs: [{targets: [\"alertmanager:9093\"]}]}]\n";
  out += "scrape_configs:\n";
  out += scraped("config-center", services.nodes, topology.app.metrics_port, metrics_path(topology.app));
  if (!services.load_balancers.empty()) out += scraped("haproxy", services.load_balancers, 8404);
  out += scraped("prometheus", {{"localhost", ""}}, 9090);
  if (topology.alertmanager) out += scraped("alertmanager", {{"alertmanager", ""}}, 9093);
  if (topology.grafana) out += scraped("grafana", {{"grafana", ""}}, 3000);
  for (const Monitoring::Target& target : topology.monitoring.targets)
    out += scraped(target);
  return out;
}

constexpr std::string_view kBoardsFolder = "boards";  // beside what Grafana reads of provisioning

}  // namespace

RenderedFiles configuration_files(const Topology& topology) {
  const Services services = services_of(topology);
  RenderedFiles out;
  const auto add = [&out](std::string_view path, std::string content, bool once = false) {
    out.push_back({.path = fmt::format("config/{}", path), .content = std::move(content), .once = once});
  };
  if (topology.load_balancer) add("haproxy/haproxy.cfg", haproxy(topology, services));
  if (topology.database) {
    const bool replicated = services.databases.size() > 1;
    add("postgresql/postgresql.conf", postgres(topology, services));
    add("postgresql/pg_hba.conf", access(*topology.database, replicated));
    add("postgresql/first.sql", first_statements(topology, services));
    if (replicated) add("postgresql/replica.sh", std::string(kReplica));
  }
  if (topology.cache) {
    add("redis/redis.conf", redis(topology, services));
    add("redis/redis.sh", std::string(kRedisStart));
    const auto quorum = services.sentinels.size() / 2 + 1;
    std::string start(kSentinelStart);
    const auto fill = [&start](std::string_view place, std::string_view with) {
      for (auto at = start.find(place); at != std::string::npos; at = start.find(place, at + with.size()))
        start.replace(at, place.size(), with);
    };
    fill("{0}", topology.cache->primary_name);
    fill("{1}", std::to_string(quorum));
    if (!services.sentinels.empty()) add("redis/sentinel.sh", std::move(start));
  }
  const Monitoring& monitoring = topology.monitoring;
  if (topology.prometheus) {
    add("prometheus/prometheus.yml", prometheus(topology, services));
    for (NamedText& rules : rule_texts(monitoring))
      add("prometheus/rules/" + rules.name, std::move(rules.text));
  }
  // Without receivers in the topology it is written by hand whom to tell.
  if (topology.alertmanager)
    add("alertmanager/alertmanager.yml", alertmanager_text(monitoring), monitoring.receivers.empty());
  if (topology.grafana) {
    add("grafana/datasources/prometheus.yml",
        data_sources(monitoring, topology.prometheus ? "http://prometheus:9090" : "",
                     topology.alertmanager ? "http://alertmanager:9093" : ""));
    add("grafana/dashboards/config-center.yml", dashboard_provider(fmt::format("/config/{}", kBoardsFolder)));
    for (NamedText& dashboard : dashboard_texts(monitoring))
      add(fmt::format("grafana/{}/{}", kBoardsFolder, dashboard.name), std::move(dashboard.text));
  }
  return out;
}

RenderedFiles container_files(const Topology& topology, std::string_view version) {
  RenderedFiles out{{.path = "Dockerfile", .content = dockerfile(topology)},
                    {.path = "compose.yaml", .content = compose_file(topology)},
                    {.path = ".env", .content = environment_file(topology, version), .once = true}};
  for (RenderedFile& file : configuration_files(topology))
    out.push_back(std::move(file));
  return out;
}

}  // namespace cc::deploy
