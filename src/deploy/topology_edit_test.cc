#include "deploy/topology_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::deploy {
namespace {

using testing::HasSubstr;

Topology of(std::string_view text) {
  return read_topology(text, "t").value();
}

std::string topology_with(std::string_view database) {
  return "name: shop\nhosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}, c: {address: 10.0.0.3}}\n"
         "components:\n  app: {hosts: [a, b, c]}\n" +
         std::string(database);
}

TEST(TopologyEdit, the_primary_and_a_replica_change_places_and_all_else_stays) {
  const std::string text = topology_with("  database:\n    primary: a  # the fast one\n    replicas: [b, \"c\"]\n");
  EXPECT_EQ(with_primary(text, of(text), "b").value(),
            topology_with("  database:\n    primary: b  # the fast one\n    replicas: [a, \"c\"]\n"));
  EXPECT_EQ(with_primary(text, of(text), "c").value(),
            topology_with("  database:\n    primary: c  # the fast one\n    replicas: [b, \"a\"]\n"));
}

TEST(TopologyEdit, in_whichever_order_they_stand) {
  const std::string text = topology_with("  database:\n    replicas:\n      - b\n      - c\n    primary: a\n");
  EXPECT_EQ(with_primary(text, of(text), "c").value(),
            topology_with("  database:\n    replicas:\n      - b\n      - a\n    primary: c\n"));
}

TEST(TopologyEdit, names_of_different_lengths_do_not_matter) {
  std::string text =
      "name: shop\nhosts: {one: {address: 10.0.0.1}, another: {address: 10.0.0.2}}\ncomponents: {app: {hosts: [one]}, "
      "database: {primary: one, replicas: [another]}}\n";
  EXPECT_THAT(with_primary(text, of(text), "another").value(),
              HasSubstr("database: {primary: another, replicas: [one]}}"));
}

TEST(TopologyEdit, only_a_replica_can_become_the_primary) {
  const std::string text = topology_with("  database: {primary: a, replicas: [b]}\n");
  const auto changed = with_primary(text, of(text), "c");
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("there are: b"));
}

TEST(TopologyEdit, hosts_come_and_go_in_a_list_of_either_kind) {
  const std::string flow = topology_with("  database: {primary: a, replicas: [b]}  # two\n");
  const std::string more = with_hosts(flow, "database.replicas", {"c"}).value();
  EXPECT_EQ(more, topology_with("  database: {primary: a, replicas: [b, c]}  # two\n"));
  EXPECT_EQ(without_hosts(more, "database.replicas", {"c"}).value(), flow);
  EXPECT_EQ(without_hosts(more, "database.replicas", {"b"}).value(),
            topology_with("  database: {primary: a, replicas: [c]}  # two\n"));

  const std::string block = topology_with("  database:\n    primary: a\n    replicas:\n      - b  # slow\n");
  const std::string longer = with_hosts(block, "database.replicas", {"c"}).value();
  EXPECT_EQ(longer, topology_with("  database:\n    primary: a\n    replicas:\n      - b  # slow\n      - c\n"));
  EXPECT_EQ(without_hosts(longer, "database.replicas", {"c"}).value(), block);
}

TEST(TopologyEdit, hosts_that_are_there_already_or_are_not_are_told) {
  const std::string text = topology_with("");
  EXPECT_THAT(with_hosts(text, "app.hosts", {"a"}).error().message, HasSubstr("has a already"));
  EXPECT_THAT(without_hosts(text, "app.hosts", {"x"}).error().message, HasSubstr("has no x"));
  EXPECT_FALSE(with_hosts(text, "cache.replicas", {"a"})) << "there is no cache";
}

}  // namespace
}  // namespace cc::deploy
