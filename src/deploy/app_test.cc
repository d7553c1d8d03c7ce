#include "deploy/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/install.h"
#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kSettings = "/etc/config-center/config.yaml";
constexpr std::string_view kUnit = "/etc/systemd/system/config-center.service";

RenderedFiles files_on(const Topology& topology, std::string_view host) {
  return app_files(topology, test_secrets(), topology.host(host));
}
std::string settings_on(const Topology& topology, std::string_view host) {
  return file_at(files_on(topology, host), kSettings).content;
}
std::string secret_on(const Topology& topology, std::string_view host, const std::string& name) {
  return file_at(files_on(topology, host), "/etc/config-center/secrets/" + name).content;
}

TEST(App, files_of_all_nodes_are_as_agreed) {
  const Topology topology = whole_topology();
  for (const std::string& host : topology.app.hosts)
    expect_golden("app", topology.host(host), files_on(topology, host));
}

TEST(App, has_no_files_where_no_node_runs) {
  EXPECT_THAT(files_on(whole_topology(), "db1"), IsEmpty());
}

TEST(App, numbers_nodes_in_the_order_of_their_hosts_and_tells_all_the_same_peers) {
  Topology topology = whole_topology();
  topology.app.hosts = {"app3", "app1", "app2"};
  EXPECT_THAT(settings_on(topology, "app3"), HasSubstr("  node_id: 1\n"));
  EXPECT_THAT(settings_on(topology, "app2"), HasSubstr("  node_id: 3\n"));
  for (const std::string& host : topology.app.hosts) {
    EXPECT_THAT(settings_on(topology, host),
                HasSubstr("  peers:\n    - 1@10.0.0.23:7848\n    - 2@10.0.0.21:7848\n    - 3@10.0.0.22:7848\n"));
  }
}

TEST(App, settings_of_a_host_win_over_those_of_all_and_these_over_what_is_derived) {
  Topology topology = whole_topology();
  topology.app.settings = {{"server.timeout", "20s"}, {"server.host", "10.9.9.9"}, {"log.level", "warn"}};
  topology.app.host_settings["app2"] = {{"log.level", "debug"}, {"server.host", "10.0.0.22"}};
  EXPECT_THAT(settings_on(topology, "app1"), HasSubstr("  level: warn\n"));
  EXPECT_THAT(settings_on(topology, "app1"), HasSubstr("  host: 10.9.9.9\n"));
  EXPECT_THAT(settings_on(topology, "app2"), HasSubstr("  level: debug\n"));
  EXPECT_THAT(settings_on(topology, "app2"), HasSubstr("  host: 10.0.0.22\n"));
  EXPECT_THAT(settings_on(topology, "app2"), HasSubstr("  timeout: 20s\n"));
}

TEST(App, settings_do_not_say_who_is_who) {
  Topology topology = whole_topology();
  topology.app.settings = {{"raft.peers", "1@elsewhere:1"}, {"raft.address", "elsewhere:1"}};
  topology.app.host_settings["app2"] = {{"raft.node_id", "9"}};
  const std::string text = settings_on(topology, "app2");
  EXPECT_THAT(text, HasSubstr("  node_id: 2\n"));
  EXPECT_THAT(text, HasSubstr("  address: 10.0.0.22:7848\n"));
  EXPECT_THAT(text, Not(HasSubstr("elsewhere")));
}

TEST(App, secrets_stand_in_files_that_only_the_node_reads) {
  Topology topology = whole_topology();
  topology.app.settings = {{"backup.storage.credentials", "credentialsOfTests"}};
  const Secrets secrets = test_secrets();
  for (const RenderedFile& file : files_on(topology, "app1")) {
    bool has_one = false;
    for (const std::string& secret : {secrets.raft, secrets.jwt, secrets.encryption, secrets.database, secrets.cache,
                                      secrets.admin, std::string("credentialsOfTests")})
      has_one |= file.content.contains(secret);
    EXPECT_EQ(file.secret, has_one) << file.path;
    if (!has_one) continue;
    EXPECT_EQ(file.mode, 0600u) << file.path;
    EXPECT_EQ(file.owner, "config-center") << file.path;
  }
}

TEST(App, a_secret_of_the_operator_takes_the_place_of_ours) {
  Topology topology = whole_topology();
  topology.app.settings = {{"security.jwt_secret", "theOperatorsOwnSecretTheOperatorsOwn"}};
  topology.app.host_settings["app2"] = {{"security.jwt_secret_file", "/run/credentials/jwt"}};
  EXPECT_EQ(secret_on(topology, "app1", "security.jwt_secret"), "theOperatorsOwnSecretTheOperatorsOwn\n");
  EXPECT_THAT(settings_on(topology, "app1"), Not(HasSubstr("theOperatorsOwn")));
  EXPECT_THAT(settings_on(topology, "app2"), HasSubstr("  jwt_secret_file: /run/credentials/jwt\n"));
  EXPECT_FALSE(has_file(files_on(topology, "app2"), "/etc/config-center/secrets/security.jwt_secret"));
}

TEST(App, without_database_and_cache_asks_for_neither) {
  Topology topology = whole_topology();
  topology.database.reset();
  topology.cache.reset();
  const std::string text = settings_on(topology, "app1");
  EXPECT_THAT(text, Not(HasSubstr("database")));
  EXPECT_THAT(text, Not(HasSubstr("cache")));
}

TEST(App, needs_no_other_settings_when_another_host_is_the_primary_of_the_database) {
  Topology topology = whole_topology();
  topology.database->primary = "db2";
  topology.database->replicas = {"db1"};
  EXPECT_THAT(settings_on(topology, "app1"), HasSubstr("  host:\n    - 10.0.0.31:5432\n    - 10.0.0.32:5432\n"));
}

TEST(App, without_sentinels_goes_to_the_primary_of_the_cache) {
  Topology topology = whole_topology();
  topology.cache->sentinels.clear();
  const std::string text = settings_on(topology, "app1");
  EXPECT_THAT(text, HasSubstr("cache:\n  host: 10.0.0.41\n"));
  EXPECT_THAT(text, Not(HasSubstr("sentinel")));
  EXPECT_FALSE(has_file(files_on(topology, "app1"), "/etc/config-center/secrets/cache.sentinel_password"));
}

TEST(App, whose_backups_have_the_history_of_the_archive_needs_the_programs_for_it) {
  Topology topology = whole_topology();
  EXPECT_THAT(packages_of(topology, topology.host("app1")), Not(Contains(kDumpPackage)));
  topology.app.settings = {{"backup.archive", "included"}};
  topology.app.host_settings = {{"app2", {{"backup.archive", "referenced"}}}};
  EXPECT_THAT(settings_on(topology, "app1"), HasSubstr("backup:\n  archive: included\n"));
  EXPECT_THAT(packages_of(topology, topology.host("app1")), Contains(kDumpPackage));
  EXPECT_THAT(packages_of(topology, topology.host("app2")), Not(Contains(kDumpPackage)));
  EXPECT_THAT(packages_of(topology, topology.host("db1")), Not(Contains(kDumpPackage)));
}

TEST(App, values_mean_in_YAML_what_they_say) {
  Topology topology = whole_topology();
  topology.app.settings = {{"log.level", "null"},
                           {"cache.key_prefix", "shop: {a}\n# \"b\" \\"},
                           {"backup.schedule.cron", "0 3 * * *"},
                           {"monitoring.metrics_path", ""}};
  const std::string text = settings_on(topology, "app1");
  EXPECT_THAT(text, HasSubstr("  level: \"null\"\n"));
  EXPECT_THAT(text, HasSubstr("  key_prefix: \"shop: {a}\\x0a# \\\"b\\\" \\\\\"\n"));
  EXPECT_THAT(text, HasSubstr("  schedule.cron: \"0 3 * * *\"\n"));
  EXPECT_THAT(text, HasSubstr("  metrics_path: \"\"\n"));
}

TEST(App, addresses_of_IPv6_stand_in_brackets) {
  Topology topology = whole_topology();
  for (std::size_t i = 0; i < topology.hosts.size(); ++i)
    topology.hosts[i].address = "fd00::" + std::to_string(i + 1);
  const std::string text = settings_on(topology, "app1");
  EXPECT_THAT(text, HasSubstr("  address: \"[fd00::3]:7848\"\n"));
  EXPECT_THAT(text, HasSubstr("  host: \"::\"\n"));
}

TEST(App, may_write_to_its_data_folder_wherever_that_is) {
  Topology topology = whole_topology();
  EXPECT_THAT(file_at(files_on(topology, "app1"), kUnit).content, HasSubstr("\nStateDirectory=config-center\n"));
  topology.app.data_dir = "/srv/center";
  const std::string text = file_at(files_on(topology, "app1"), kUnit).content;
  EXPECT_THAT(text, HasSubstr("\nReadWritePaths=-/srv/center\n"));
  EXPECT_THAT(text, HasSubstr("\nRequiresMountsFor=/srv/center\n"));
  EXPECT_THAT(text, Not(HasSubstr("StateDirectory")));
  EXPECT_THAT(settings_on(topology, "app1"), HasSubstr("data_dir: /srv/center\n"));
}

TEST(App, is_given_the_time_to_stop_that_its_settings_allow) {
  Topology topology = whole_topology();
  EXPECT_THAT(file_at(files_on(topology, "app1"), kUnit).content, HasSubstr("\nTimeoutStopSec=90s\n"));
  topology.app.settings = {{"server.drain", "5m"}, {"server.stop_timeout", "1m"}};
  EXPECT_THAT(file_at(files_on(topology, "app1"), kUnit).content, HasSubstr("\nTimeoutStopSec=420s\n"));
}

TEST(App, may_take_a_port_below_1024_only_when_it_has_one) {
  Topology topology = whole_topology();
  EXPECT_THAT(file_at(files_on(topology, "app1"), kUnit).content, HasSubstr("\nCapabilityBoundingSet=\n"));
  topology.app.port = 443;
  EXPECT_THAT(file_at(files_on(topology, "app1"), kUnit).content,
              HasSubstr("\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"));
}

}  // namespace
}  // namespace cc::deploy
