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

template <class Component>
std::string url_of(const Topology& topology, const std::optional<Component>& component) {
  return component ? "http://" + host_and_port(topology.host(component->host).address, component->port) : "";
}

// "Shop, by team" → "shop--by-team"
std::string file_name_of(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ? lower(c) : '-';
  return out;
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

std::string data_sources(const Monitoring& monitoring, const std::string& prometheus, const std::string& alertmanager) {
  std::string text = written_by("Own data sources go into other files of this folder.") +
                     "apiVersion: 1\n"
                     "datasources:\n";
  if (!prometheus.empty()) {
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
        prometheus, monitoring.scrape_interval);
  }
  if (!alertmanager.empty()) {
    text += fmt::format(
        "  - name: Alertmanager\n"
        "    uid: alertmanager\n"
        "    type: alertmanager\n"
        "    access: proxy\n"
        "    url: {}\n"
        "    editable: false\n"
        "    jsonData:\n"
        "      implementation: prometheus\n",
        alertmanager);
  }
  return text;
}

std::string dashboard_provider(std::string_view folder) {
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
             folder);
}

// Those of the product; that they can be read is tested. Then the operator's own.
std::vector<NamedText> dashboard_texts(const Monitoring& monitoring) {
  std::vector<NamedText> all;
  all.reserve(embedded::dashboards.size() + monitoring.dashboards.size());
  for (const auto& [name, text] : embedded::dashboards) {
    const std::string_view stem = name.substr(0, name.rfind('.'));
    const auto dashboard = monitor::parse_dashboard(text);
    if (!dashboard) continue;
    all.push_back({.name = fmt::format("{}.json", stem),
                   .text = monitor::render_dashboard(*dashboard, fmt::format("config-center-{}", stem))});
  }
  for (const monitor::Dashboard& own : monitoring.dashboards) {
    const std::string stem = "own-" + file_name_of(own.name).substr(0, 30);
    all.push_back({.name = stem + ".json", .text = monitor::render_dashboard(own, stem)});
  }
  return all;
}

RenderedFiles grafana_files(const Topology& topology, const Secrets& secrets, const Host& host) {
  if (!topology.grafana || topology.grafana->host != host.name) return {};
  RenderedFiles files{{.path = "/etc/grafana/provisioning/dashboards/config-center.yml",
                       .content = dashboard_provider(kDashboardsFolder)},
                      {.path = std::string(kPasswordFile),
                       .content = secrets.grafana_admin + "\n",
                       .mode = 0640,
                       .owner = "grafana",
                       .secret = true},
                      {.path = "/etc/systemd/system/grafana-server.service.d/config-center-settings.conf",
                       .content = unit_settings(*topology.grafana, host)},
                      start_with_network("grafana-server")};
  for (NamedText& dashboard : dashboard_texts(topology.monitoring))
    files.push_back(
        {.path = fmt::format("{}/{}", kDashboardsFolder, dashboard.name), .content = std::move(dashboard.text)});
  if (topology.prometheus || topology.alertmanager) {
    files.push_back({.path = "/etc/grafana/provisioning/datasources/config-center.yml",
                     .content = data_sources(topology.monitoring, url_of(topology, topology.prometheus),
                                             url_of(topology, topology.alertmanager))});
  }
  return files;
}

}  // namespace cc::deploy
