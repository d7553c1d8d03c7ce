#include "deploy/numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class NumbersTest : public testing::Test {
 protected:
  void nodes_are(std::vector<std::string> hosts) {
    topology.app.hosts = std::move(hosts);
    numbers.apply(topology.app, topology);
  }
  Topology topology = whole_topology();
  Numbers numbers;
};

TEST_F(NumbersTest, founders_are_numbered_in_their_order) {
  nodes_are({"app1", "app2", "app3"});
  EXPECT_THAT(topology.app.numbers, ElementsAre(Pair("app1", 1), Pair("app2", 2), Pair("app3", 3)));
  EXPECT_THAT(topology.app.joined, IsEmpty());
  EXPECT_EQ(topology.app.founders.at(2), "10.0.0.22:7848");
}

TEST_F(NumbersTest, who_comes_later_joins_with_a_number_of_its_own) {
  nodes_are({"app1", "app2", "app3"});
  nodes_are({"db1", "app1", "app2", "app3", "db2"});
  EXPECT_EQ(topology.app.numbers.at("app1"), 1u);
  EXPECT_EQ(topology.app.numbers.at("db1"), 4u);
  EXPECT_THAT(topology.app.joined, ElementsAre("db1", "db2"));
  EXPECT_EQ(topology.app.founders.size(), 3u);
}

TEST_F(NumbersTest, a_number_is_not_given_twice) {
  nodes_are({"app1", "app2", "app3"});
  nodes_are({"app1"});
  EXPECT_THAT(topology.app.left, ElementsAre(Pair("app2", 2), Pair("app3", 3)));
  EXPECT_EQ(topology.app.founders.size(), 3u) << "the settings of who stays do not change";
  nodes_are({"app1", "app2", "db1"});
  EXPECT_EQ(topology.app.numbers.at("app2"), 4u) << "what the old one had promised is forgotten";
  EXPECT_EQ(topology.app.numbers.at("db1"), 5u);
}

TEST_F(NumbersTest, are_kept) {
  const TempDirectory directory;
  const Path file = directory.path() / "deployments/x/nodes.json";
  nodes_are({"app1", "app2", "app3"});
  nodes_are({"app1", "app3", "db1"});
  ASSERT_TRUE(numbers.keep(file));
  numbers = Numbers::read(file).value();
  nodes_are({"app1", "app3", "db1"});
  EXPECT_EQ(topology.app.numbers.at("db1"), 4u);
  EXPECT_THAT(topology.app.joined, ElementsAre("db1"));
  ASSERT_TRUE(write_file(file, "[]"));
  EXPECT_THAT(Numbers::read(file).error().message, HasSubstr("nodes.json"));
}

}  // namespace
}  // namespace cc::deploy
