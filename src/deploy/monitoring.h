// What else than its files must be known of monitoring by who installs it: with Debian's packages, in Debian's places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/rendering.h"

namespace cc::deploy {

// The parts of monitoring_files().
RenderedFiles prometheus_files(const Topology& topology, const Host& host);
RenderedFiles alertmanager_files(const Topology& topology, const Host& host);
RenderedFiles exporter_files(const Topology& topology, const Secrets& secrets, const Host& host);
RenderedFiles grafana_files(const Topology& topology, const Secrets& secrets, const Host& host);

// What is the same wherever it runs: on hosts, in containers, in a playground.
struct NamedText {
  std::string name, text;  // of a file
};
std::vector<NamedText> rule_texts(const Monitoring& monitoring);  // "data.rules.yml": the product's, the topology's
std::vector<NamedText> dashboard_texts(const Monitoring& monitoring);  // "nodes.json": likewise
// alertmanager.yml. Without receivers it is one to begin with, and the operator's from then on.
std::string alertmanager_text(const Monitoring& monitoring);
// What Grafana is told of where dashboards are, and of where data come from; an address that is empty is of none.
std::string dashboard_provider(std::string_view folder);
std::string data_sources(const Monitoring& monitoring, const std::string& prometheus, const std::string& alertmanager);

// Where the nodes tell their metrics.
inline constexpr std::string_view kUsualMetricsPath = "/metrics";
std::string metrics_path(const App& app);

inline constexpr std::string_view kPrometheusUnit = "prometheus.service";  // reads its files again when it is reloaded
inline constexpr std::string_view kAlertmanagerUnit = "prometheus-alertmanager.service";
inline constexpr std::string_view kGrafanaUnit = "grafana-server.service";
inline constexpr std::string_view kNodeExporterUnit = "prometheus-node-exporter.service";
inline constexpr std::string_view kPostgresExporterUnit = "prometheus-postgres-exporter.service";
inline constexpr std::string_view kRedisExporterUnit = "prometheus-redis-exporter.service";

// Who is monitored is told by files in this folder, which Prometheus reads by itself when they change: a host more
// needs no restart and no reload.
inline constexpr std::string_view kTargetsFolder = "/etc/prometheus/targets/";
inline constexpr std::string_view kRulesFolder = "/etc/prometheus/rules/";
inline constexpr std::string_view kCustomFolder = "/etc/prometheus/custom.d/";  // the operator's own
inline constexpr std::string_view kDashboardsFolder = "/var/lib/grafana/dashboards/config-center";

}  // namespace cc::deploy
