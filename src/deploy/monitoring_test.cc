#include "deploy/monitoring.h"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kPrometheus = "/etc/prometheus/prometheus.yml",
                           kAlertmanager = "/etc/prometheus/alertmanager.yml",
                           kDataSources = "/etc/grafana/provisioning/datasources/config-center.yml";

Topology with_grafana() {
  Topology topology = whole_topology();
  topology.grafana = Grafana{.host = "monitor1"};
  return topology;
}

RenderedFiles files_on(const Topology& topology, std::string_view host) {
  return monitoring_files(topology, test_secrets(), topology.host(host));
}
std::string content_on(const Topology& topology, std::string_view host, std::string_view path) {
  return file_at(files_on(topology, host), path).content;
}

TEST(MonitoringFiles, are_the_golden_ones) {
  const Topology topology = with_grafana();
  for (const char* host : {"app1", "db1", "cache1", "monitor1"})
    expect_golden("monitoring", topology.host(host), files_on(topology, host));
}

// A second installation's, with what an operator may add; its files are held against the programs that read them.
TEST(MonitoringFiles, with_what_the_topology_adds_are_the_golden_ones) {
  Topology topology = with_grafana();
  topology.hosts.push_back({.name = "monitor2", .address = "10.0.0.52"});
  topology.prometheus->host = topology.alertmanager->host = topology.grafana->host = "monitor2";
  Monitoring& monitoring = topology.monitoring;
  monitoring.targets = {
      {.job = "shop", .path = "/prometheus", .targets = {"10.0.0.71:9000"}, .labels = {{"team", "shop"}}}};
  monitoring.rules = {{.name = "ShopSlow",
                       .expr = "histogram_quantile(0.99, sum by (le) (rate(shop_request_seconds_bucket[5m]))) > 1",
                       .duration = "10m",
                       .labels = {{"severity", "warning"}},
                       .annotations = {{"summary", "The \"shop\" is slow: {{ $value }}"}}}};
  using Type = Monitoring::Receiver::Type;
  monitoring.receivers = {
      {.name = "operators",
       .type = Type::email,
       .config = {{"to", "operators@example.org"},
                  {"from", "alerts@example.org"},
                  {"smarthost", "smtp.example.org:587"},
                  {"auth_username", "alerts"},
                  {"auth_password_file", "/etc/prometheus/smtp_password"}}},
      {.name = "chat",
       .type = Type::slack,
       .config = {{"api_url_file", "/etc/prometheus/slack_url"}, {"channel", "#operators"}}},
      {.name = "on-call", .type = Type::pagerduty, .config = {{"routing_key_file", "/etc/prometheus/pagerduty_key"}}},
      {.name = "watchdog",
       .type = Type::webhook,
       .config = {{"url", "https://watcher.example.org/alive"}, {"http_config.follow_redirects", "false"}}}};
  monitoring.routes = {{.receiver = "on-call",
                        .matchers = {"severity=\"critical\"", "job=~\"config-center|postgres\""},
                        .repeat_interval = "1h",
                        .routes = {{.receiver = "chat", .group_by = {"host"}, .matchers = {"host=\"app1\""}}}}};
  monitoring.dashboards = {
      monitor::parse_dashboard("name: The shop\npanels: [{title: Requests, type: graph, query: up}]").value()};
  const Host& host = topology.host("monitor2");
  expect_golden("monitoring", host, files_on(topology, host.name));
}

TEST(MonitoringFiles, ask_all_components_for_metrics) {
  const std::string jobs = content_on(with_grafana(), "monitor1", kPrometheus);
  for (const char* job :
       {"config-center", "haproxy", "node", "postgres", "redis", "sentinel", "prometheus", "alertmanager", "grafana"}) {
    EXPECT_THAT(jobs, HasSubstr(std::string("\n  - job_name: ") + job + "\n"));
    EXPECT_TRUE(has_file(files_on(with_grafana(), "monitor1"), std::string(kTargetsFolder) + job + ".json")) << job;
  }
}

TEST(MonitoringFiles, ask_sentinels_through_an_exporter) {
  const auto targets = content_on(with_grafana(), "monitor1", std::string(kTargetsFolder) + "sentinel.json");
  // On its own host where there is one, else on another.
  EXPECT_THAT(targets, HasSubstr(R"({"targets": ["10.0.0.42:9121"], "labels": {"host": "cache2", )"
                                 R"("instance": "10.0.0.42:26379", "__param_target": "redis://10.0.0.42:26379"}})"));
  EXPECT_THAT(targets, HasSubstr(R"({"targets": ["10.0.0.41:9121"], "labels": {"host": "monitor1", )"
                                 R"("instance": "10.0.0.51:26379", "__param_target": "redis://10.0.0.51:26379"}})"));
}

TEST(MonitoringFiles, bring_every_dashboard) {
  const RenderedFiles files = files_on(with_grafana(), "monitor1");
  for (const auto& each : std::filesystem::directory_iterator(CC_SOURCE_DIR "/monitoring/dashboards"))
    EXPECT_TRUE(has_file(files, fmt::format("{}/{}.json", kDashboardsFolder, each.path().stem().string()))) << each;
}

TEST(MonitoringFiles, ask_for_nothing_that_is_not_there) {
  Topology topology = whole_topology();
  topology.database.reset();
  topology.cache.reset();
  topology.load_balancer.reset();
  topology.alertmanager.reset();
  EXPECT_THAT(content_on(topology, "monitor1", kPrometheus), Not(HasSubstr("postgres")));
  EXPECT_THAT(content_on(topology, "monitor1", kPrometheus), Not(HasSubstr("redis")));
  EXPECT_THAT(content_on(topology, "monitor1", kPrometheus), Not(HasSubstr("haproxy")));
  EXPECT_THAT(content_on(topology, "monitor1", kPrometheus), Not(HasSubstr("alert")));
  EXPECT_FALSE(has_file(files_on(topology, "monitor1"), kAlertmanager));
  topology.exporters.reset();
  EXPECT_THAT(content_on(topology, "monitor1", kPrometheus), Not(HasSubstr("job_name: node")));
  EXPECT_TRUE(files_on(topology, "db1").empty());
}

TEST(MonitoringFiles, leave_prometheus_yml_as_it_is_when_hosts_come_and_go) {
  Topology topology = whole_topology();
  const std::string before = content_on(topology, "monitor1", kPrometheus);
  topology.hosts.push_back({.name = "app4", .address = "fd00::24"});
  topology.app.hosts.push_back("app4");
  EXPECT_EQ(content_on(topology, "monitor1", kPrometheus), before);
  EXPECT_THAT(content_on(topology, "monitor1", std::string(kTargetsFolder) + "config-center.json"), HasSubstr(R"(,
  {"targets": ["[fd00::24]:8849"], "labels": {"host": "app4"}}
])"));
}

TEST(MonitoringFiles, ask_nodes_at_the_path_that_they_were_given) {
  Topology topology = whole_topology();
  topology.app.settings["monitoring.metrics_path"] = "/internal/metrics";
  EXPECT_THAT(content_on(topology, "monitor1", kPrometheus),
              HasSubstr("job_name: config-center\n    metrics_path: '/internal/metrics'\n"));
}

TEST(MonitoringFiles, leave_to_the_operator_what_is_the_operators) {
  const RenderedFiles files = files_on(whole_topology(), "monitor1");
  EXPECT_TRUE(file_at(files, kAlertmanager).once);
  for (const RenderedFile& file : files) {
    if (file.path.starts_with(kCustomFolder)) {
      EXPECT_TRUE(file.once) << file.path;
    }
  }
  EXPECT_THAT(file_at(files, kPrometheus).content, HasSubstr("\n  - /etc/prometheus/custom.d/*.rules.yml\n"));
}

TEST(MonitoringFiles, keep_passwords_from_others) {
  const Topology topology = with_grafana();
  for (const Host& host : topology.hosts) {
    for (const RenderedFile& file : files_on(topology, host.name)) {
      const bool secret =
          file.content.contains(test_secrets().cache) || file.content.contains(test_secrets().grafana_admin);
      EXPECT_EQ(file.secret, secret) << file.path;
      EXPECT_EQ(file.secret && file.mode != 0640, false) << file.path;
    }
  }
}

TEST(MonitoringFiles, listen_on_the_hosts_own_address_if_it_is_one) {
  Topology topology = whole_topology();
  EXPECT_THAT(content_on(topology, "app1", "/etc/default/prometheus-node-exporter"),
              HasSubstr("--web.listen-address=10.0.0.21:9100"));
  for (Host& host : topology.hosts)
    host.address = host.name + ".example.org";
  EXPECT_THAT(content_on(topology, "app1", "/etc/default/prometheus-node-exporter"),
              HasSubstr("--web.listen-address=:9100"));
}

TEST(MonitoringFiles, show_Grafana_what_there_is_to_show) {
  Topology topology = with_grafana();
  EXPECT_THAT(content_on(topology, "monitor1", kDataSources), HasSubstr("url: http://10.0.0.51:9090\n"));
  EXPECT_THAT(content_on(topology, "monitor1", kDataSources), HasSubstr("url: http://10.0.0.51:9093\n"));
  topology.prometheus.reset();
  topology.alertmanager.reset();
  EXPECT_FALSE(has_file(files_on(topology, "monitor1"), kDataSources));
}

}  // namespace
}  // namespace cc::deploy
