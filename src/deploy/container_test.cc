#include "deploy/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/container_services.h"
#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Topology one_node() {
  Topology topology;
  topology.name = "config-center";
  topology.hosts = {{.name = "local", .address = "127.0.0.1", .local = true}};
  topology.app.hosts = {"local"};
  return topology;
}

// All that there is, and something of each section.
Topology everything() {
  Topology topology;
  topology.name = "Shop production";
  for (const char* name : {"lb1", "lb2", "app1", "app2", "app3", "db1", "db2", "db3", "cache1", "cache2", "mon"})
    topology.hosts.push_back({.name = name});
  topology.load_balancer = {.hosts = {"lb1", "lb2"}};
  topology.app.hosts = {"app1", "app2", "app3"};
  topology.app.settings = {{"server.timeout", "20s"}, {"history.releases", "5000"}};
  topology.app.host_settings = {{"app2", {{"log.level", "debug"}}}};
  topology.database = {.primary = "db1", .replicas = {"db2", "db3"}, .settings = {{"shared_buffers", "256MB"}}};
  topology.cache = {.primary = "cache1", .replicas = {"cache2"}, .sentinels = {"cache1", "cache2", "mon"}};
  topology.prometheus = {.host = "mon"};
  topology.alertmanager = {.host = "mon"};
  topology.grafana = {.host = "mon"};
  topology.container.ports.push_back({.container_port = 8849, .host_port = 8849});
  topology.container.volumes = {{.host_path = "/etc/ssl/certs", .container_path = "/etc/ssl/certs", .read_only = true}};
  topology.container.environment = {{"LOG_LEVEL", "info"}};
  return topology;
}

void expect_files(const std::string& folder, const Topology& topology) {
  for (const RenderedFile& file : container_files(topology, "1.2.3")) {
    SCOPED_TRACE(file.path);
    expect_golden("container/" + folder + "/" + file.path, file.content);
  }
}

TEST(Container, of_one_node_is_what_the_golden_files_have) {
  expect_files("single", one_node());
}

TEST(Container, of_a_whole_installation_is_what_the_golden_files_have) {
  expect_files("full", everything());
}

TEST(Container, takes_health_check_and_base_image_from_the_topology) {
  Topology topology = one_node();
  topology.container.base_image = "debian:trixie-slim";
  topology.container.health_check = {.command = "/app/config-center health",
                                     .interval = std::chrono::seconds(10),
                                     .timeout = std::chrono::milliseconds(1'500),
                                     .retries = 2};
  const std::string file = dockerfile(topology);
  EXPECT_THAT(file, HasSubstr("FROM debian:trixie-slim AS build"));
  EXPECT_THAT(file, HasSubstr("HEALTHCHECK --interval=10s --timeout=1500ms --start-period=20s --retries=2 \\\n"
                              "  CMD [\"/app/config-center\", \"health\"]"));
  EXPECT_THAT(compose_file(topology), HasSubstr("test: [\"CMD\", \"/app/config-center\", \"health\"]"));
}

TEST(Container, has_the_programs_for_the_archive_in_backups_when_these_have_it) {
  Topology topology = one_node();
  EXPECT_THAT(dockerfile(topology), Not(HasSubstr("postgresql-client")));
  topology.app.settings["backup.archive"] = "included";
  EXPECT_THAT(dockerfile(topology), HasSubstr("--no-install-recommends ca-certificates postgresql-client <"));
}

TEST(Container, gives_a_health_check_that_only_a_shell_understands_to_a_shell) {
  Topology topology = one_node();
  topology.container.health_check.command = "test \"$(date +%u)\" = 7 || /app/config-center health";
  EXPECT_THAT(dockerfile(topology), HasSubstr("\n  CMD test \"$(date +%u)\" = 7 || /app/config-center health\n"));
  EXPECT_THAT(compose_file(topology),
              HasSubstr(R"(test: ["CMD-SHELL", "test \"$$(date +%u)\" = 7 || /app/config-center health"])"));
}

TEST(Container, environment_of_the_topology_wins_and_is_no_variable_of_compose) {
  Topology topology = one_node();
  topology.app.settings = {{"server.timeout", "20s"}};
  topology.container.environment = {{"CONFIG_CENTER_SERVER_TIMEOUT", "5s"}, {"GREETING", "a \"dollar\": $HOME"}};
  const std::string file = compose_file(topology);
  EXPECT_THAT(file, HasSubstr("CONFIG_CENTER_SERVER_TIMEOUT: \"5s\"\n"));
  EXPECT_THAT(file, HasSubstr(R"(GREETING: "a \"dollar\": $$HOME")"));
}

TEST(Container, nodes_without_a_load_balancer_are_published_one_after_the_other) {
  Topology topology = everything();
  topology.load_balancer.reset();
  topology.container.ports = {{.container_port = 8848, .host_port = 8848}};
  const std::string file = compose_file(topology);
  for (const char* port : {"8848:8848/tcp", "8849:8848/tcp", "8850:8848/tcp"})
    EXPECT_THAT(file, HasSubstr(port));
}

TEST(Container, data_on_a_folder_of_the_host_is_a_folder_for_each_node) {
  Topology topology = everything();
  topology.container.volumes = {{.host_path = "/srv/data", .container_path = topology.app.data_dir}};
  EXPECT_THAT(compose_file(topology), HasSubstr("source: \"/srv/data/config-center-app2\""));
  EXPECT_THAT(compose_file(topology), Not(HasSubstr("  config-center-app2: {}\n")));

  topology.app.hosts = {"app1"};
  EXPECT_THAT(compose_file(topology), HasSubstr("source: \"/srv/data\""));
}

TEST(Container, asks_for_the_secrets_that_its_services_read_and_no_others) {
  EXPECT_THAT(secrets_of(one_node()), ElementsAre("jwt_secret", "encryption_key"));
  EXPECT_THAT(secrets_of(everything()),
              ElementsAre("jwt_secret", "encryption_key", "raft_secret", "database_password", "replication_password",
                          "cache_password", "grafana_admin_password"));
}

TEST(Container, memory_of_the_cache_leaves_room_for_saving) {
  Topology topology = everything();
  for (const auto& [most, limit] :
       {std::pair("512mb", "1024m"), {"2gb", "4096m"}, {"1048576", "256m"}, {"700m", "1400m"}}) {
    topology.cache->max_memory = most;
    EXPECT_THAT(environment_file(topology, "1.2.3"), HasSubstr(std::string("CACHE_MEMORY=") + limit + "\n"));
  }
}

TEST(HostPorts, gives_the_next_to_whoever_wants_one_that_is_taken) {
  HostPorts ports;
  EXPECT_EQ(ports.take(8848), 8848);
  EXPECT_EQ(ports.take(8848), 8849);
  EXPECT_EQ(ports.take(8849), 8850);
  EXPECT_EQ(ports.take(8848, "udp"), 8848);
  EXPECT_EQ(ports.take(65'535), 65'535);
  EXPECT_EQ(ports.take(65'535), 1024);
}

}  // namespace
}  // namespace cc::deploy
