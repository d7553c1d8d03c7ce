#include <fmt/format.h>

#include "deploy/file_text.h"
#include "deploy/listening.h"
#include "deploy/monitoring.h"

namespace cc::deploy {
namespace {

// There is nothing to include files with, so the file is the operator's as a whole, from the first day on.
constexpr std::string_view kSettings =
    "# Where alerts go. Made once by config-center deploy, which never touches it again: it is yours.\n"
    "# After a change:  amtool check-config /etc/prometheus/alertmanager.yml && systemctl reload "
    "prometheus-alertmanager\n"
    "route:\n"
    "  receiver: operators\n"
    "  group_by: [alertname, installation, job]\n"
    "  group_wait: 30s\n"
    "  group_interval: 5m\n"
    "  repeat_interval: 4h\n"
    "\n"
    "# What is critical says enough: a warning of the same kind and host is left out meanwhile.\n"
    "inhibit_rules:\n"
    "  - source_matchers: ['severity=\"critical\"']\n"
    "    target_matchers: ['severity=\"warning\"']\n"
    "    equal: [alertname, installation, host]\n"
    "\n"
    "receivers:\n"
    "  # REPLACE THIS: as it is, alerts are shown by Alertmanager's own page and reach nobody. Keep passwords in files "
    "that\n"
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
    "    #   - routing_key_file: /etc/prometheus/pagerduty_key\n";

}  // namespace

RenderedFiles alertmanager_files(const Topology& topology, const Host& host) {
  if (!topology.alertmanager || topology.alertmanager->host != host.name) return {};
  return {{.path = "/etc/prometheus/alertmanager.yml",
           .content = std::string(kSettings),
           .once = true,
           .validator = "amtool check-config {}"},
          {.path = "/etc/default/prometheus-alertmanager",
           .content = written_by("Own settings go into components.alertmanager of topology.yaml.") +
                      // It is alone: it looks for no others.
                      fmt::format("ARGS=\"--web.listen-address={} --cluster.listen-address=\"\n",
                                  listen_on(host, topology.alertmanager->port))},
          start_with_network("prometheus-alertmanager")};
}

}  // namespace cc::deploy
