#include "deploy/topology.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/templates.h"

namespace cc::deploy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kSmall = R"(name: shop
hosts:
  a: {address: 10.0.0.1}
  b: {address: 10.0.0.2}
  c: {address: 10.0.0.3}
components:
  app: {hosts: [a, b, c]}
)";

std::string refusal(std::string text) {
  const auto topology = read_topology(text, "topology.yaml");
  return topology ? "it was taken" : topology.error().message;
}
// The small one with what stands below `components`, indented by two.
std::string with(std::string_view component) {
  return refusal(std::string(kSmall) + std::string(component));
}

TEST(Topology, has_defaults_for_what_is_left_out) {
  const Topology topology = read_topology(kSmall, "topology.yaml").value();
  EXPECT_EQ(topology.name, "shop");
  ASSERT_EQ(topology.hosts.size(), 3u);
  EXPECT_EQ(topology.host("b").address, "10.0.0.2");
  EXPECT_TRUE(topology.host("b").sudo);
  EXPECT_THAT(topology.app.hosts, ElementsAre("a", "b", "c"));
  EXPECT_EQ(topology.app.port, 8848);
  EXPECT_FALSE(topology.database);
  EXPECT_EQ(topology.container.ports.size(), 1u);
}

TEST(Topology, every_template_is_one) {
  for (const auto& [name, text] : topology_templates()) {
    const auto topology = read_topology(text, name);
    EXPECT_TRUE(topology) << topology.error().message;
  }
  const Topology full = read_topology(topology_template("full").value(), "full.yaml").value();
  EXPECT_THAT(full.cache->sentinels, ElementsAre("cache1", "cache2", "monitor1"));
  EXPECT_TRUE(full.requirements.software.os.version.contains("12.11"));
  EXPECT_EQ(full.requirements.software.dependencies.size(), 3u);
  EXPECT_EQ(full.host("db1").ssh.user, "deploy");
}

TEST(Topology, settings_may_be_nested_and_differ_by_host) {
  const Topology read = read_topology(R"(name: shop
hosts: {a: {address: 10.0.0.1, ssh: {port: 2222, jump: b}, sudo: false}}
ssh: {user: deploy, port: 22}
components:
  app:
    hosts: a
    settings: {server: {timeout: 20s, tls.key_file: /k}, log.level: debug}
    host_settings: {a: {server.timeout: 10s}}
)",
                                      "t")
                            .value();
  EXPECT_EQ(read.app.settings.at("server.timeout"), "20s");
  EXPECT_EQ(read.app.settings.at("server.tls.key_file"), "/k");
  EXPECT_EQ(read.app.host_settings.at("a").at("server.timeout"), "10s");
  EXPECT_EQ(read.host("a").ssh.user, "deploy");
  EXPECT_EQ(read.host("a").ssh.port, 2222);
  EXPECT_FALSE(read.host("a").sudo);
}

TEST(Topology, every_mistake_is_told_with_its_line) {
  const std::string told = refusal(R"(name: shop
hosts:
  a: {address: 10.0.0.1, adress: x}
  b: {address: 10.0.0.2}
componets:
  app: {hosts: [a]}
components:
  app:
    hosts: [a]
    port: 70000
    raft_port: x
)");
  EXPECT_THAT(told, HasSubstr("topology.yaml line 3: there is no \"hosts.a.adress\"; did you mean \"address\"?"));
  EXPECT_THAT(told, HasSubstr("topology.yaml line 5: there is no \"componets\"; did you mean \"components\"?"));
  EXPECT_THAT(told, HasSubstr("topology.yaml line 10: components.app.port: \"70000\" is no port"));
  EXPECT_THAT(told, HasSubstr("topology.yaml line 11: components.app.raft_port: \"x\" is no port"));
}

TEST(Topology, what_is_no_topology_is_refused) {
  EXPECT_THAT(refusal("a: [\n"), HasSubstr("topology.yaml"));
  EXPECT_THAT(refusal("- a\n"), HasSubstr("config-center topology init"));
  EXPECT_THAT(refusal("{}"), HasSubstr("name is missing"));
  EXPECT_THAT(refusal("name: [a]\nhosts: x\ncomponents: {app: {hosts: {}}}\n"), HasSubstr("must be one plain value"));
  EXPECT_THAT(refusal("name: a\nname: b\n"), HasSubstr("line 2, column 1: duplicate key \"name\""));
}

TEST(Topology, hosts_must_be_there_once_each) {
  EXPECT_THAT(with("  prometheus: {host: d}\n"),
              HasSubstr("line 8: components.prometheus.host: there is no host \"d\""));
  EXPECT_THAT(with("  load_balancer: {hosts: [a, a]}\n"), HasSubstr("a is named twice"));
  EXPECT_THAT(with("  database: {primary: a, replicas: [a]}\n"), HasSubstr("a is the primary already"));
  EXPECT_THAT(
      refusal("name: x\nhosts: {a: {address: 1.1.1.1}, b: {address: 1.1.1.1}}\ncomponents: {app: {hosts: [a]}}\n"),
      HasSubstr("1.1.1.1 is the address of a as well"));
  EXPECT_THAT(refusal("name: x\nhosts: {a: {}}\ncomponents: {app: {hosts: [a]}}\n"),
              HasSubstr("hosts.a: has no address"));
}

TEST(Topology, names_and_addresses_cannot_hold_commands) {
  EXPECT_THAT(refusal("name: 'x; rm'\nhosts: {a: {address: 1.1.1.1}}\ncomponents: {app: {hosts: [a]}}\n"),
              HasSubstr("is no name"));
  EXPECT_THAT(refusal("name: x\nhosts: {a: {address: '$(id)'}}\ncomponents: {app: {hosts: [a]}}\n"),
              HasSubstr("is no address"));
  EXPECT_THAT(refusal("name: x\nhosts: {a: {address: 1.1.1.1, ssh: {user: '-oProxyCommand=x'}}}\ncomponents: {app: "
                      "{hosts: [a]}}\n"),
              HasSubstr("hosts.a.ssh.user"));
}

TEST(Topology, counts_that_cannot_work_are_refused) {
  EXPECT_THAT(
      refusal("name: x\nhosts: {a: {address: 1.1.1.1}, b: {address: 1.1.1.2}}\ncomponents: {app: {hosts: [a, b]}}\n"),
      HasSubstr("2 nodes survive no more than 1 do: give an odd number"));
  EXPECT_THAT(with("  cache: {primary: a, replicas: [b], sentinels: [a, b]}\n"),
              HasSubstr("2 cannot agree by majority"));
  EXPECT_THAT(with("  cache: {primary: a, sentinels: [a, b, c]}\n"), HasSubstr("no replica"));
  EXPECT_THAT(with("  load_balancer: {hosts: [a], virtual_address: 10.0.0.9/24, interface: eth0}\n"),
              HasSubstr("nobody to move it to"));
  EXPECT_THAT(with("  load_balancer: {hosts: [a, b], virtual_address: 10.0.0.3/24, interface: eth0}\n"),
              HasSubstr("is the address of c"));
}

TEST(Topology, what_could_not_run_as_it_says_is_refused) {
  EXPECT_THAT(with("  database: {primary: a, settings: {port: 5433}}\n"), HasSubstr("port follows from the topology"));
  EXPECT_THAT(refusal("name: x\nhosts: {a: {address: 1.1.1.1}}\ncomponents: {app: {hosts: [a], data_dir: /home/x}}\n"),
              HasSubstr("nothing below /home is visible"));
  EXPECT_THAT(refusal("name: x\nhosts: {db-1: {address: 1.1.1.1}, db_1: {address: 1.1.1.2}}\n"
                      "components: {app: {hosts: [db-1]}, database: {primary: db-1, replicas: [db_1]}}\n"),
              HasSubstr("one replication slot"));
}

TEST(Topology, one_port_has_one_owner_on_a_host) {
  EXPECT_THAT(with("  load_balancer: {hosts: [a], port: 8848}\n"),
              HasSubstr("components.app.port: on a port 8848 is that of the load balancer already"));
  EXPECT_THAT(with("  load_balancer: {hosts: [a], port: 8080}\n"), HasSubstr("it was taken"));
  EXPECT_THAT(with("  prometheus: {host: a, port: 9093}\n  alertmanager: {host: a}\n"),
              HasSubstr("on a port 9093 is that of Prometheus already"));
  EXPECT_THAT(with("  exporters: {node_port: 7848}\n"), HasSubstr("on a port 7848 is that of the node's Raft already"));
}

TEST(Topology, its_monitoring_section_is_what_stands_beside_ours) {
  constexpr std::string_view kText = R"(name: shop
hosts: {a: {address: 10.0.0.1}}
components: {app: {hosts: [a]}}
monitoring:
  metrics: {scrape_interval: 30s, retention_period: 90d, targets: [{job: shop, targets: ["10.0.0.71:9000"], labels: {team: shop}}]}
  alerts:
    rules: [{name: ShopSlow, expr: "shop_slow > 1", duration: 10m, labels: {severity: warning}, annotations: {summary: slow}}]
    receivers: [{name: operators, type: webhook, config: {url: "http://10.0.0.71/"}}]
    routes: [{receiver: operators, matchers: ['severity="critical"'], routes: [{receiver: operators, group_by: [host]}]}]
  dashboards: {refresh_interval: 1m, templates: [{name: Shop, panels: [{title: Up, type: gauge, query: up}]}]}
)";
  const auto read = read_topology(kText, "topology.yaml");
  ASSERT_TRUE(read) << read.error().message;
  const Monitoring& monitoring = read->monitoring;
  EXPECT_EQ(monitoring.retention, "90d");
  EXPECT_EQ(monitoring.targets.at(0).labels.at("team"), "shop");
  EXPECT_EQ(monitoring.rules.at(0).duration, "10m");
  EXPECT_EQ(monitoring.routes.at(0).routes.at(0).group_by.at(0), "host");
  EXPECT_EQ(monitoring.dashboards.at(0).refresh, "1m");
}

TEST(Topology, mistakes_in_its_monitoring_section_are_told) {
  const auto told = [](std::string_view monitoring) {
    const auto read =
        read_topology("name: shop\nhosts: {a: {address: 10.0.0.1}}\ncomponents: {app: {hosts: [a]}}\nmonitoring: " +
                          std::string(monitoring) + "\n",
                      "topology.yaml");
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(told("{alerts: {receivers: [{name: a, type: pigeon}]}}"),
              HasSubstr("email, slack, webhook or pagerduty"));
  EXPECT_THAT(told("{alerts: {receivers: [{name: a, type: email, config: {auth_password: x}}]}}"),
              HasSubstr("auth_password_file"));
  EXPECT_THAT(told("{alerts: {routes: [{receiver: nobody-knows}]}}"), HasSubstr("there is no receiver"));
  EXPECT_THAT(told("{metrics: {targets: [{job: 'a b', targets: [x]}]}}"), HasSubstr("is no name"));
  EXPECT_THAT(told("{dashboards: {templates: [{name: a, panels: [{title: t, type: pie, query: up}]}]}}"),
              HasSubstr("graph, gauge, table or heatmap"));
  EXPECT_THAT(told("{alarms: {}}"), HasSubstr("alarms"));
}

TEST(Topology, its_backup_section_says_what_is_done_about_the_archive) {
  const auto with = [](std::string_view how) {
    return read_topology(
        fmt::format("name: shop\nhosts: {{a: {{address: 10.0.0.1}}}}\ncomponents: {{app: {{hosts: [a]}}}}\n"
                    "backup: {{archive: {}}}\n",
                    how),
        "topology.yaml");
  };
  EXPECT_THAT(with("included").value().app.settings, testing::ElementsAre(testing::Pair("backup.archive", "included")));
  EXPECT_THAT(with("both").error().message, HasSubstr("give referenced or included"));
}

TEST(Topology, its_backup_section_is_settings_of_the_nodes) {
  constexpr std::string_view kText =
      "name: shop\nhosts: {a: {address: 10.0.0.1}}\ncomponents: {app: {hosts: [a]}}\n"
      "backup: {schedule: {cron: '0 3 * * *', enabled: true}, retention: {max_age: 14d}, storage: {path: /backups}}\n";
  const Topology topology = read_topology(kText, "topology.yaml").value();
  EXPECT_THAT(topology.app.settings, testing::UnorderedElementsAre(testing::Pair("backup.schedule.cron", "0 3 * * *"),
                                                                   testing::Pair("backup.schedule.enabled", "true"),
                                                                   testing::Pair("backup.retention.max_age", "14d"),
                                                                   testing::Pair("backup.storage.path", "/backups")));
  EXPECT_THAT(read_topology("name: shop\nhosts: {a: {address: 10.0.0.1}}\n"
                            "components: {app: {hosts: [a], settings: {backup.schedule.cron: '@daily'}}}\n"
                            "backup: {schedule: {cron: '0 3 * * *', often: true}}\n",
                            "topology.yaml")
                  .error()
                  .message,
              testing::AllOf(HasSubstr("give it once"), HasSubstr("often")));
}

}  // namespace
}  // namespace cc::deploy
