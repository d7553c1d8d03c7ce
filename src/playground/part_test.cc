#include "playground/part.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace cc::playground {
namespace {

Site site(bool full) {
  Site site{.folder = "/play", .layout = {.nodes = 3, .full = full}, .binary = "/usr/bin/config-center"};
  Port next = 20'000;
  for (const std::string& name : port_names(3, full))
    site.layout.ports[name] = next++;
  for (const char* name : {"haproxy", "initdb", "postgres", "pg_basebackup", "redis-server", "prometheus",
                           "prometheus-alertmanager", "prometheus-redis-exporter", "grafana-server"})
    site.programs.paths[name] = std::string("/usr/bin/") + name;
  return site;
}

TEST(Part, NodesAloneNeedNobody) {
  const Part part = all_of(site(false));
  ASSERT_EQ(part.components.size(), 3U);
  EXPECT_TRUE(std::ranges::all_of(part.components, [](const Component& each) { return each.needs.empty(); }));
  EXPECT_EQ(part.components[1].port, 20'003);
  EXPECT_FALSE(part.files[0].content.contains("database"));
}

TEST(Part, WhatIsNeededIsThereAndNoPortIsTakenTwice) {
  const Part part = all_of(site(true));
  std::set<std::string> names;
  std::set<Port> ports;
  for (const Component& each : part.components) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_TRUE(ports.insert(each.port).second) << each.name;
  }
  for (const Component& each : part.components) {
    for (const std::string& need : each.needs)
      EXPECT_TRUE(names.contains(need)) << each.name << " needs " << need;
  }
  EXPECT_TRUE(names.contains("redis2-exporter") && names.contains("grafana"));
  EXPECT_FALSE(names.contains("machine-exporter"));
}

TEST(Layout, PortsAreCountedUpFromTheBase) {
  EXPECT_EQ(port_names(1, false), (std::vector<std::string>{"node1", "node1.raft", "node1.metrics"}));
  EXPECT_EQ(port_names(3, true).front(), "haproxy1");
  EXPECT_FALSE(choose_ports(port_names(9, true), Port{65'530}).has_value());
  const auto free = choose_ports(port_names(9, true), std::nullopt);
  ASSERT_TRUE(free);
  EXPECT_EQ(free->size(), port_names(9, true).size());
}

}  // namespace
}  // namespace cc::playground
