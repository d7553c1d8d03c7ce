#include "deploy/ports.h"

#include <fmt/format.h>

#include "deploy/cache.h"
#include "deploy/database.h"

namespace cc::deploy {
std::vector<TakenPort> ports_of(const Topology& topology, std::string_view host) {
  std::vector<TakenPort> all;
  const auto take = [&](Port port, std::string_view whose, std::string_view place) {
    all.push_back({.port = port, .whose = std::string(whose), .place = fmt::format("components.{}", place)});
  };
  if (const auto& balancer = topology.load_balancer; balancer && is_among(host, balancer->hosts)) {
    take(balancer->port, "the load balancer", "load_balancer.port");
    take(balancer->stats_port, "the load balancer's statistics", "load_balancer.stats_port");
  }
  if (const App& app = topology.app; is_among(host, app.hosts)) {
    take(app.port, "the node", "app.port");
    take(app.raft_port, "the node's Raft", "app.raft_port");
    take(app.metrics_port, "the node's metrics", "app.metrics_port");
  }
  const auto& database = topology.database;
  const bool has_database = database && is_among(host, hosts_of(*database));
  if (has_database) take(database->port, "PostgreSQL", "database.port");
  const auto& cache = topology.cache;
  const bool has_cache = cache && is_among(host, hosts_of(*cache));
  if (has_cache) take(cache->port, "Redis", "cache.port");
  if (cache && is_among(host, cache->sentinels)) take(cache->sentinel_port, "Sentinel", "cache.sentinel_port");
  if (const auto& prometheus = topology.prometheus; prometheus && host == prometheus->host)
    take(prometheus->port, "Prometheus", "prometheus.port");
  if (const auto& alertmanager = topology.alertmanager; alertmanager && host == alertmanager->host)
    take(alertmanager->port, "Alertmanager", "alertmanager.port");
  if (const auto& grafana = topology.grafana; grafana && host == grafana->host)
    take(grafana->port, "Grafana", "grafana.port");
  if (const auto& exporters = topology.exporters) {
    take(exporters->node_port, "the exporter of the host", "exporters.node_port");
    if (has_database) take(exporters->postgres_port, "PostgreSQL's exporter", "exporters.postgres_port");
    if (has_cache) take(exporters->redis_port, "Redis's exporter", "exporters.redis_port");
  }
  return all;
}

}  // namespace cc::deploy
