#include "deploy/test_installation.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace cc::deploy {
Topology whole_topology() {
  Topology topology{.name = "config-center"};
  for (const auto& [name, address] :
       {std::pair("lb1", "10.0.0.11"), std::pair("lb2", "10.0.0.12"), std::pair("app1", "10.0.0.21"),
        std::pair("app2", "10.0.0.22"), std::pair("app3", "10.0.0.23"), std::pair("db1", "10.0.0.31"),
        std::pair("db2", "10.0.0.32"), std::pair("db3", "10.0.0.33"), std::pair("cache1", "10.0.0.41"),
        std::pair("cache2", "10.0.0.42"), std::pair("monitor1", "10.0.0.51")})
    topology.hosts.push_back({.name = name, .address = address});
  topology.load_balancer =
      LoadBalancer{.hosts = {"lb1", "lb2"}, .virtual_address = "10.0.0.10/24", .interface = "eth0"};
  topology.app = {.hosts = {"app1", "app2", "app3"}};
  topology.database = Database{.primary = "db1", .replicas = {"db2", "db3"}};
  topology.cache = Cache{.primary = "cache1", .replicas = {"cache2"}, .sentinels = {"cache1", "cache2", "monitor1"}};
  topology.prometheus = Prometheus{.host = "monitor1"};
  topology.alertmanager = Alertmanager{.host = "monitor1"};
  topology.exporters = Exporters{};
  return topology;
}

Secrets test_secrets() {
  return {.raft = "raftSecretOfTestsRaftSecretOfTests42",
          .jwt = "jwtSecretOfTestsJwtSecretOfTests4242",
          .encryption = "encryptionKeyOfTestsEncryptionKey42",
          .database = "databasePasswordOfTests",
          .replication = "replicationPasswordOfTests",
          .rewind = "rewindPasswordOfTests",
          .cache = "cachePasswordOfTests",
          .vrrp = "vrrpPass",
          .statistics = "statisticsPasswordOfTests",
          .grafana_admin = "grafanaPasswordOfTests",
          .admin = "administratorPasswordOfTests"};
}

RenderedFile file_at(const RenderedFiles& files, std::string_view path) {
  const auto found = std::ranges::find(files, path, &RenderedFile::path);
  if (found != files.end()) return *found;
  ADD_FAILURE() << "there is no " << path;
  return {};
}

bool has_file(const RenderedFiles& files, std::string_view path) {
  return std::ranges::find(files, path, &RenderedFile::path) != files.end();
}

void expect_golden(std::string_view name, const std::string& content) {
  const Path golden = Path(CC_GOLDEN_FOLDER) / name;
  if (std::getenv("WRITE_GOLDEN_FILES") != nullptr) {
    ASSERT_TRUE(make_directories(golden.parent_path()));
    ASSERT_TRUE(write_file(golden, content));
    return;
  }
  EXPECT_EQ(read_file(golden).value_or("(there is no such file)"), content)
      << golden << ": if the new content is right, run this test with WRITE_GOLDEN_FILES=1, and look at git diff";
}

void expect_golden(std::string_view component, const Host& host, const RenderedFiles& files) {
  std::string list;
  for (const RenderedFile& file : files) {
    expect_golden(host.name + file.path, file.content);
    list += fmt::format("{:04o} {}{}{} {}{}{}\n", file.mode, file.owner, file.secret ? " secret" : "",
                        file.once ? " once" : "", file.path, file.validator.empty() ? "" : "  # ", file.validator);
  }
  expect_golden(fmt::format("{}/{}.files", host.name, component), list);
}

}  // namespace cc::deploy
