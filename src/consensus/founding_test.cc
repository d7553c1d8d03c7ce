// When a node without a log founds a group, and when it must not.
#include "consensus/founding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::consensus {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<Peer> kPeers = {
    {.id = 2, .address = "b:1"}, {.id = 1, .address = "a:1"}, {.id = 3, .address = "c:1"}};
const Options kFirst{.node_id = 1, .address = "a:1", .peers = kPeers};
const std::string kNames = "1@a:1,2@b:1,3@c:1";

Greeting fresh(NodeId node, std::string founders = kNames) {
  return {.node = node, .founders = std::move(founders)};
}

TEST(Founding, NeedsAllOfThemThatAgreeOnWhoTheyAre) {
  EXPECT_EQ(names_of(founders_of(kFirst)), kNames);
  const Founding alone = look_around(kFirst, {});
  EXPECT_FALSE(alone.can_form);
  EXPECT_THAT(alone.waits_for, AllOf(HasSubstr("node 2 at b:1"), HasSubstr("node 3 at c:1"), Not(HasSubstr("a:1"))));
  const Founding two = look_around(kFirst, {{3, fresh(3)}});
  EXPECT_FALSE(two.can_form);
  EXPECT_THAT(two.waits_for, AllOf(HasSubstr("node 2 at b:1"), Not(HasSubstr("c:1"))));
  const Founding all = look_around(kFirst, {{2, fresh(2)}, {3, fresh(3)}});
  EXPECT_TRUE(all.can_form);
  EXPECT_FALSE(all.exists);
  EXPECT_EQ(all.waits_for, "");
}

TEST(Founding, DoesNotHappenAmongNodesThatNameOthers) {
  const Founding founding = look_around(kFirst, {{2, fresh(2)}, {3, fresh(3, "1@a:1,3@c:1")}});
  EXPECT_FALSE(founding.can_form);
  EXPECT_THAT(founding.waits_for, HasSubstr("node 3 at c:1, whose raft.peers are not those of this node"));
}

TEST(Founding, DoesNotHappenTwice) {
  const Founding founding = look_around(kFirst, {{2, fresh(2)}, {3, {.node = 3, .formed = true}}});
  EXPECT_FALSE(founding.can_form);
  EXPECT_TRUE(founding.exists);
  EXPECT_THAT(founding.waits_for, AllOf(HasSubstr("takes this node in"), HasSubstr("config-center cluster add")));
}

TEST(Founding, IsNotForWhoJoins) {
  const Founding founding = look_around({.node_id = 4, .address = "d:1", .join = true}, {});
  EXPECT_FALSE(founding.can_form);
  EXPECT_TRUE(founding.exists);
}

}  // namespace
}  // namespace cc::consensus
