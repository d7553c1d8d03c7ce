#include "deploy/monitoring.h"

#include <fmt/format.h>

#include "deploy/database.h"
#include "deploy/load_balancer.h"
#include "playground/part.h"

namespace cc::playground {
namespace {

// The names are those of an installation: the rules know them.
std::string job(std::string_view name, const std::vector<std::pair<std::string, std::string>>& targets) {
  std::string text = fmt::format("  - job_name: {}\n    static_configs:\n", name);
  for (const auto& [host, address] : targets)
    text += fmt::format("      - {{targets: ['{}'], labels: {{host: {}}}}}\n", address, host);
  return text;
}

std::vector<std::pair<std::string, std::string>> targets(const Site& site, std::string_view name, unsigned count,
                                                         std::string_view port) {
  std::vector<std::pair<std::string, std::string>> all;
  for (unsigned number = 1; number <= count; ++number) {
    const std::string host = numbered(name, number);
    all.emplace_back(host, site.address(fmt::format("{}.{}", host, port)));
  }
  return all;
}

// Redis's exporter asks them: they have no metrics of their own.
std::string sentinels(const Site& site) {
  std::string text = "  - job_name: sentinel\n    metrics_path: /scrape\n    static_configs:\n";
  for (unsigned number = 1; number <= kSentinels; ++number) {
    const std::string name = numbered("sentinel", number);
    text +=
        fmt::format("      - {{targets: ['{}'], labels: {{host: {}, instance: '{}', __param_target: 'redis://{}'}}}}\n",
                    site.address("redis1.exporter"), name, site.address(name), site.address(name));
  }
  return text;
}

std::string prometheus_settings(const Site& site) {
  std::string text = fmt::format(
      "global:\n"
      "  scrape_interval: 5s\n"
      "  evaluation_interval: 5s\n"
      "  external_labels: {{installation: playground}}\n"
      "rule_files: ['rules/*.rules.yml']\n"
      "alerting:\n"
      "  alertmanagers:\n"
      "    - static_configs:\n"
      "        - targets: ['{}']\n"
      "scrape_configs:\n",
      site.address("alertmanager"));
  text += job("config-center", targets(site, "node", site.layout.nodes, "metrics"));
  text += job("haproxy", targets(site, "haproxy", kBalancers, "statistics"));
  if (site.programs.has("prometheus-postgres-exporter"))
    text += job("postgres", targets(site, "postgres", kDatabases, "exporter"));
  if (site.programs.has("prometheus-redis-exporter")) {
    text += job("redis", targets(site, "redis", kCaches, "exporter"));
    text += sentinels(site);
  }
  if (site.programs.has("prometheus-node-exporter"))
    text += job("node", {{"machine", site.address("machine-exporter")}});
  text += job("prometheus", {{"prometheus", site.address("prometheus")}});
  text += job("alertmanager", {{"alertmanager", site.address("alertmanager")}});
  if (site.programs.has("grafana-server")) text += job("grafana", {{"grafana", site.address("grafana")}});
  return text;
}

void add_prometheus(Part& part, const Site& site) {
  const Path folder = site.folder / "prometheus";
  for (deploy::NamedText& rules : deploy::rule_texts({}))
    part.files.push_back({.path = folder / "rules" / rules.name, .content = std::move(rules.text)});
  part.files.push_back({.path = folder / "prometheus.yml", .content = prometheus_settings(site)});
  part.components.push_back(
      {.name = "prometheus",
       .arguments = {site.programs.path("prometheus"), fmt::format("--config.file={}/prometheus.yml", folder.string()),
                     fmt::format("--storage.tsdb.path={}/data", folder.string()), "--storage.tsdb.retention.time=2d",
                     "--web.listen-address=" + site.address("prometheus")},
       .folder = folder,
       .port = site.port("prometheus"),
       .readiness = Answers{site.port("prometheus"), "/-/ready"}});
}

void add_alertmanager(Part& part, const Site& site) {
  const Path folder = site.folder / "alertmanager";
  // Of who looks at it: alerts are on Alertmanager's own page until he says whom to tell.
  part.files.push_back({.path = folder / "alertmanager.yml", .content = deploy::alertmanager_text({}), .once = true});
  part.components.push_back(
      {.name = "alertmanager",
       .arguments = {site.programs.path("prometheus-alertmanager"),
                     fmt::format("--config.file={}/alertmanager.yml", folder.string()),
                     fmt::format("--storage.path={}/data", folder.string()),
                     // It is alone: it looks for no others.
                     "--cluster.listen-address=", "--web.listen-address=" + site.address("alertmanager")},
       .folder = folder,
       .port = site.port("alertmanager"),
       .readiness = Answers{site.port("alertmanager"), "/-/ready"}});
}

void add_exporter(Part& part, const Site& site, const std::string& program, const std::string& name,
                  const std::string& port, const std::string& flag, std::map<std::string, std::string> environment,
                  std::vector<std::string> needs) {
  if (!site.programs.has(program)) return;
  part.components.push_back({.name = name,
                             .arguments = {site.programs.path(program), flag + "=" + site.address(port)},
                             .environment = std::move(environment),
                             .folder = site.folder / name,
                             .needs = std::move(needs),
                             .port = site.port(port),
                             .readiness = Listens{site.port(port)}});
}

void add_exporters(Part& part, const Site& site) {
  add_exporter(part, site, "prometheus-node-exporter", "machine-exporter", "machine-exporter", "--web.listen-address",
               {}, {});
  for (unsigned number = 1; number <= kDatabases; ++number) {
    const std::string server = numbered("postgres", number);
    add_exporter(
        part, site, "prometheus-postgres-exporter", server + "-exporter", server + ".exporter", "--web.listen-address",
        {{"DATA_SOURCE_NAME", fmt::format("postgresql://{}:{}@{}/postgres?sslmode=disable", deploy::kExporterRole,
                                          site.secrets.database, site.address(server))}},
        {server});
  }
  for (unsigned number = 1; number <= kCaches; ++number) {
    const std::string server = numbered("redis", number);
    add_exporter(part, site, "prometheus-redis-exporter", server + "-exporter", server + ".exporter",
                 "-web.listen-address",
                 {{"REDIS_ADDR", "redis://" + site.address(server)}, {"REDIS_PASSWORD", site.secrets.cache}}, {server});
  }
}

void add_grafana(Part& part, const Site& site) {
  if (!site.programs.has("grafana-server")) return;
  const Path folder = site.folder / "grafana";
  part.files.push_back({.path = folder / "provisioning/datasources/playground.yml",
                        .content = deploy::data_sources({}, "http://" + site.address("prometheus"),
                                                        "http://" + site.address("alertmanager"))});
  part.files.push_back({.path = folder / "provisioning/dashboards/playground.yml",
                        .content = deploy::dashboard_provider((folder / "dashboards").string())});
  for (deploy::NamedText& dashboard : deploy::dashboard_texts({}))
    part.files.push_back({.path = folder / "dashboards" / dashboard.name, .content = std::move(dashboard.text)});
  part.components.push_back({.name = "grafana",
                             .arguments = {site.programs.path("grafana-server"), "--homepath", "/usr/share/grafana"},
                             .environment = {{"GF_SERVER_HTTP_ADDR", "127.0.0.1"},
                                             {"GF_SERVER_HTTP_PORT", std::to_string(site.port("grafana"))},
                                             {"GF_PATHS_DATA", (folder / "data").string()},
                                             {"GF_PATHS_LOGS", (folder / "log").string()},
                                             {"GF_PATHS_PLUGINS", (folder / "plugins").string()},
                                             {"GF_PATHS_PROVISIONING", (folder / "provisioning").string()},
                                             {"GF_SECURITY_ADMIN_PASSWORD", site.secrets.grafana_admin},
                                             {"GF_ANALYTICS_REPORTING_ENABLED", "false"},
                                             {"GF_ANALYTICS_CHECK_FOR_UPDATES", "false"}},
                             .folder = folder,
                             .port = site.port("grafana"),
                             .readiness = Answers{site.port("grafana"), "/api/health"}});
}

}  // namespace

Part monitoring(const Site& site) {
  Part part;
  add_prometheus(part, site);
  add_alertmanager(part, site);
  add_exporters(part, site);
  add_grafana(part, site);
  return part;
}

}  // namespace cc::playground
