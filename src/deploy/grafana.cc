#include <fmt/format.h>

#include "base/host_port.h"
#include "base/text.h"
#include "deploy/file_text.h"
#include "deploy/listening.h"
#include "deploy/monitoring.h"
#include "embedded/dashboards.h"
#include "monitor/dashboard.h"

namespace cc::deploy {
namespace {

constexpr std::string_view kPasswordFile = "/etc/grafana/config-center-admin-password";

std::string url(const Topology& topology, const std::string& host, Port port) {
  return "http://" + host_and_port(topology.host(host).address, port);
}

std::string data_sources(const Topology& topology) {
  std::string text = written_by("Own data sources go into other files of this folder.") +
                     "apiVersion: 1\n"
                     "datasources:\n";
  if (const auto& prometheus = topology.prometheus) {
    text += fmt::format(
        "  - name: Prometheus\n"
        "    uid: prometheus\n"
        "    type: prometheus\n"
        "    access: proxy\n"
        "    url: {}\n"
        "    isDefault: true\n"
        "    editable: false\n"
        "    jsonData:\n"
        "      httpMethod: POST\n"
        "      prometheusType: Prometheus\n"
        "      timeInterval: {}\n",
        url(topology, prometheus->host, prometheus->port), topology.monitoring.scrape_interval);
  }
  if (const auto& alertmanager = topology.alertmanager) {
    text += fmt::format(
        "  - name: Alertmanager\n"
        "    uid: alertmanager\n"
        "    type: alertmanager\n"
        "    access: proxy\n"
        "    url: {}\n"
        "    editable: false\n"
        "    jsonData:\n"
        "      implementation: prometheus\n",
        url(topology, alertmanager->host, alertmanager->port));
  }
  return text;
}

std::string dashboards() {
  return written_by(
             "Own dashboards go into other folders of Grafana: one is made in its page, or by another file here.") +
         fmt::format(
             "apiVersion: 1\n"
             "providers:\n"
             "  - name: config-center\n"
             "    orgId: 1\n"
             "    folder: Config center\n"
             "    folderUid: config-center\n"
             "    type: file\n"
             "    disableDeletion: true\n"
             "    allowUiUpdates: false\n"
             "    updateIntervalSeconds: 30\n"
             "    options:\n"
             "      path: {}\n",
             kDashboardsFolder);
}

// "Shop, by team" → "shop--by-team"
std::string file_name_of(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ? lower(c) : '-';
  return out;
}

// Those of the product; that they can be read is tested. Then the operator's own.
void add_dashboards(RenderedFiles& files, const Monitoring& monitoring) {
  for (const auto& [name, text] : embedded::dashboards) {
    const std::string_view stem = name.substr(0, name.rfind('.'));
    const auto dashboard = monitor::parse_dashboard(text);
    if (!dashboard) continue;
    files.push_back({.path = fmt::format("{}/{}.json", kDashboardsFolder, stem),
                     .content = monitor::render_dashboard(*dashboard, fmt::format("config-center-{}", stem))});
  }
  for (const monitor::Dashboard& own : monitoring.dashboards) {
    const std::string stem = "own-" + file_name_of(own.name).substr(0, 30);
    files.push_back(
        {.path = fmt::format("{}/{}.json", kDashboardsFolder, stem), .content = monitor::render_dashboard(own, stem)});
  }
}

// Variables are stronger than grafana.ini, which stays the operator's.
std::string unit_settings(const Grafana& grafana, const Host& host) {
  return written_by("Own settings go into /etc/grafana/grafana.ini.") +
         fmt::format(
             "[Service]\n"
             "{}"
             "Environment=GF_SERVER_HTTP_PORT={}\n"
             "Environment=GF_SECURITY_ADMIN_PASSWORD=$__file{{{}}}\n",
             is_ip_address(host.address) ? fmt::format("Environment=GF_SERVER_HTTP_ADDR={}\n", host.address) : "",
             grafana.port, kPasswordFile);
}

}  // namespace

RenderedFiles grafana_files(const Topology& topology, const Secrets& secrets, const Host& host) {
  if (!topology.grafana || topology.grafana->host != host.name) return {};
  RenderedFiles files{{.path = "/etc/grafana/provisioning/dashboards/config-center.yml", .content = dashboards()},
                      {.path = std::string(kPasswordFile),
                       .content = secrets.grafana_admin + "\n",
                       .mode = 0640,
                       .owner = "grafana",
                       .secret = true},
                      {.path = "/etc/systemd/system/grafana-server.service.d/config-center-settings.conf",
                       .content = unit_settings(*topology.grafana, host)},
                      start_with_network("grafana-server")};
  add_dashboards(files, topology.monitoring);
  if (topology.prometheus || topology.alertmanager) {
    files.push_back(
        {.path = "/etc/grafana/provisioning/datasources/config-center.yml", .content = data_sources(topology)});
  }
  return files;
}

}  // namespace cc::deploy
