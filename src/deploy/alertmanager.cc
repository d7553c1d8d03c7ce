#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/text.h"
#include "deploy/file_text.h"
#include "deploy/listening.h"
#include "deploy/monitoring.h"
#include "deploy/notifications.h"

namespace cc::deploy {
namespace {

using Receiver = Monitoring::Receiver;
using Route = Monitoring::Route;

constexpr std::string_view kSettingsFile = "/etc/prometheus/alertmanager.yml";

// A receiver who is told of nothing; and the one that is told all the time that alerts would arrive.
constexpr std::string_view kNobody = "nobody", kWatchdog = "watchdog";

constexpr std::string_view kGrouping =
    "  group_by: [alertname, installation, job]\n"
    "  group_wait: 30s\n"
    "  group_interval: 5m\n"
    "  repeat_interval: 4h\n";

constexpr std::string_view kInhibitions =
    "inhibit_rules:\n"
    "  # A host that is down is one alert, and not one for each service on it.\n"
    "  - source_matchers: ['alertname=\"HostDown\"']\n"
    "    target_matchers: ['alertname!=\"HostDown\"']\n"
    "    equal: [installation, host]\n"
    "  # What is critical says enough: a warning of the same kind and host is left out meanwhile.\n"
    "  - source_matchers: ['severity=\"critical\"']\n"
    "    target_matchers: ['severity=\"warning\"']\n"
    "    equal: [alertname, installation, host]\n";

// Of the first alert of a group, and how many more there are.
constexpr std::string_view kSummary =
    "{{ (index .Alerts 0).Annotations.summary }}{{ if gt (len .Alerts) 1 }} (and more: {{ len .Alerts }} in all){{ end "
    "}}";

// There is nothing to include files with, so the file is the operator's as a whole, from the first day on.
std::string file_to_begin_with() {
  return fmt::format(
      "# Where alerts go. Made once by config-center, which never touches it again: it is yours. Or name receivers in\n"
      "# monitoring.alerts of topology.yaml, and it is made of them.\n"
      "# After a change:  amtool check-config alertmanager.yml && systemctl reload prometheus-alertmanager\n"
      "route:\n"
      "  receiver: operators\n"
      "{grouping}"
      "  routes:\n"
      "    # It always fires: for a watcher of the watcher, who says so when he does not hear of it.\n"
      "    - matchers: ['alertname=\"Watchdog\"']\n"
      "      receiver: {nobody}\n"
      "    # config-center monitoring test-alert operators: the same two lines for each receiver of yours.\n"
      "    - matchers: ['alertname=\"{test}\"']\n"
      "      receiver: {nobody}\n"
      "      group_by: [alertname, receiver, test]\n"
      "      group_wait: 0s\n"
      "      group_interval: 1m\n"
      "      routes:\n"
      "        - matchers: ['receiver=\"operators\"']\n"
      "          receiver: operators\n"
      "\n"
      "{inhibitions}"
      "\n"
      "receivers:\n"
      "  - name: {nobody}\n"
      "  # REPLACE THIS: as it is, alerts are shown by Alertmanager's own page and reach nobody. Keep passwords in "
      "files that\n"
      "  # only the user prometheus may read.\n"
      "  - name: operators\n"
      "    # webhook_configs:\n"
      "    #   - url: https://alerts.example.org/config-center\n"
      "    # email_configs:\n"
      "    #   - to: operators@example.org\n"
      "    #     from: alertmanager@example.org\n"
      "    #     smarthost: smtp.example.org:587\n"
      "    #     auth_username: alertmanager\n"
      "    #     auth_password_file: /etc/prometheus/smtp_password\n"
      "    #     send_resolved: true\n"
      "    # slack_configs:\n"
      "    #   - api_url_file: /etc/prometheus/slack_url\n"
      "    #     channel: '#operators'\n"
      "    #     send_resolved: true\n"
      "    # pagerduty_configs:\n"
      "    #   - routing_key_file: /etc/prometheus/pagerduty_key\n",
      fmt::arg("grouping", kGrouping), fmt::arg("nobody", kNobody), fmt::arg("test", kTestAlert),
      fmt::arg("inhibitions", kInhibitions));
}

// --- made of the topology ---

std::string_view settings_of(Receiver::Type type) {
  switch (type) {
    case Receiver::Type::email:
      return "email_configs";
    case Receiver::Type::slack:
      return "slack_configs";
    case Receiver::Type::webhook:
      return "webhook_configs";
    case Receiver::Type::pagerduty:
      return "pagerduty_configs";
  }
  return "";
}

// "a.b" stands below "a".
void set(YAML::Node settings, std::string_view name, const std::string& value) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) {
    settings[std::string(name)] = value;
  } else {
    YAML::Node below = settings[std::string(name.substr(0, dot))];
    set(below, name.substr(dot + 1), value);
  }
}

YAML::Node receiver_node(const Receiver& receiver) {
  YAML::Node settings;
  settings["send_resolved"] = "true";
  // What comes with Alertmanager shows names and labels alone, or puts them first.
  if (receiver.type == Receiver::Type::slack) {
    settings["title"] =
        "{{ .Status | toUpper }} ({{ .CommonLabels.severity }}): {{ .CommonLabels.alertname }}, {{ "
        ".CommonLabels.installation }}";
    settings["text"] =
        "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n{{ .Annotations.runbook }}\n{{ "
        "end }}";
  } else if (receiver.type == Receiver::Type::pagerduty) {
    settings["severity"] = "{{ if eq .CommonLabels.severity \"critical\" }}critical{{ else }}warning{{ end }}";
    settings["description"] = std::string(kSummary);
    settings["details"]["runbook"] = "{{ .CommonAnnotations.runbook }}";
  } else if (receiver.type == Receiver::Type::email) {
    settings["headers"]["Subject"] =
        fmt::format("{{{{ .Status | toUpper }}}} ({{{{ .CommonLabels.severity }}}}): {}", kSummary);
  }
  for (const auto& [name, value] : receiver.config)
    set(settings, name, value);
  YAML::Node node;
  node["name"] = receiver.name;
  node[std::string(settings_of(receiver.type))].push_back(settings);
  return node;
}

YAML::Node route_node(const Route& route) {
  YAML::Node node;
  node["receiver"] = route.receiver;
  for (const std::string& matcher : route.matchers)
    node["matchers"].push_back(matcher);
  for (const std::string& label : route.group_by)
    node["group_by"].push_back(label);
  if (!route.group_wait.empty()) node["group_wait"] = route.group_wait;
  if (!route.group_interval.empty()) node["group_interval"] = route.group_interval;
  if (!route.repeat_interval.empty()) node["repeat_interval"] = route.repeat_interval;
  for (const Route& child : route.routes)
    node["routes"].push_back(route_node(child));
  return node;
}

// One that is told all the time must be told often: else he does not notice soon that it has ended.
Route watchdog_route(const Monitoring& monitoring) {
  const bool watched =
      std::ranges::find(monitoring.receivers, kWatchdog, &Receiver::name) != monitoring.receivers.end();
  return {.receiver = std::string(watched ? kWatchdog : kNobody),
          .matchers = {"alertname=\"Watchdog\""},
          .group_wait = "0s",
          .group_interval = "1m",
          .repeat_interval = "1m"};
}

// A test is told to whom it names, each time anew.
Route test_route(const Monitoring& monitoring) {
  Route route{.receiver = std::string(kNobody),
              .group_by = {"alertname", "receiver", "test"},
              .matchers = {fmt::format("alertname=\"{}\"", kTestAlert)},
              .group_wait = "0s",
              .group_interval = "1m"};
  route.routes.reserve(monitoring.receivers.size());
  for (const Receiver& each : monitoring.receivers)
    route.routes.push_back({.receiver = each.name, .matchers = {fmt::format("receiver=\"{}\"", each.name)}});
  return route;
}

std::string made_of(const Monitoring& monitoring) {
  YAML::Node below;
  below["routes"].push_back(route_node(watchdog_route(monitoring)));
  below["routes"].push_back(route_node(test_route(monitoring)));
  for (const Route& route : monitoring.routes)
    below["routes"].push_back(route_node(route));
  YAML::Node receivers;
  YAML::Node nobody;
  nobody["name"] = std::string(kNobody);
  receivers["receivers"].push_back(nobody);
  for (const Receiver& receiver : monitoring.receivers)
    receivers["receivers"].push_back(receiver_node(receiver));
  YAML::Node first;
  first["receiver"] = monitoring.receivers.front().name;
  std::string routes;
  for (const std::string_view line : split(YAML::Dump(below), '\n'))
    routes += fmt::format("  {}\n", line);
  return fmt::format("{}route:\n  {}\n{}{}\n{}\n{}\n",
                     written_by("Own receivers and routes go into monitoring.alerts of topology.yaml."),
                     YAML::Dump(first), kGrouping, routes, kInhibitions, YAML::Dump(receivers));
}

}  // namespace

std::string alertmanager_text(const Monitoring& monitoring) {
  return monitoring.receivers.empty() ? file_to_begin_with() : made_of(monitoring);
}

RenderedFiles alertmanager_files(const Topology& topology, const Host& host) {
  if (!topology.alertmanager || topology.alertmanager->host != host.name) return {};
  return {{.path = std::string(kSettingsFile),
           .content = alertmanager_text(topology.monitoring),
           .once = topology.monitoring.receivers.empty(),
           .validator = "amtool check-config {}"},
          {.path = "/etc/default/prometheus-alertmanager",
           .content = written_by("Own settings go into components.alertmanager of topology.yaml.") +
                      // It is alone: it looks for no others.
                      fmt::format("ARGS=\"--web.listen-address={} --cluster.listen-address=\"\n",
                                  listen_on(host, topology.alertmanager->port))},
          start_with_network("prometheus-alertmanager")};
}

}  // namespace cc::deploy
