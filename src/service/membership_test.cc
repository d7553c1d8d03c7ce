#include "service/membership.h"

#include <gmock/gmock.h>

#include "service/test_node.h"

namespace cc::service {
namespace {

using consensus::Change;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Change::Kind;

class Members : public testing::Test {
 protected:
  Result<> change(Change change) { return node.run(change_group(node.context(), node.admin(), std::move(change))); }
  void pretend_member(consensus::NodeId id, const std::string& address, consensus::Membership membership) {
    node.group().pretend = [=](consensus::Status& status) {
      status.servers.push_back({.id = id, .address = address, .membership = membership});
    };
  }
  TestNode node;
};

TEST_F(Members, WhatIsAskedForReachesTheGroupAndTheAuditTrail) {
  ASSERT_TRUE(change({.kind = Kind::add, .node = 4, .address = "10.0.0.4:7848"}));
  ASSERT_TRUE(change({.kind = Kind::transfer}));
  ASSERT_THAT(node.group().changes, SizeIs(2));
  EXPECT_EQ(node.group().changes[0].kind, Kind::add);
  EXPECT_EQ(node.group().changes[0].node, 4u);
  EXPECT_EQ(node.group().changes[0].address, "10.0.0.4:7848");
  const auto records = node.audited({.action = "node.add"});
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].actor, "admin");
  EXPECT_EQ(records[0].target, "node 4 at 10.0.0.4:7848");
  EXPECT_EQ(records[0].outcome, "done");
  EXPECT_EQ(node.audited({.action = "node.transfer"}).at(0).target, "any node");
}

TEST_F(Members, OnlyWhoMayOperateChangesTheGroup) {
  node.user("vera", {{.role = Role::developer, .scope = {}}});
  node.user("olga", {{.role = Role::operator_, .scope = {}}});
  const auto refused =
      node.run(change_group(node.context(), node.as(node.token("vera")), {.kind = Kind::remove, .node = 1}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::permission_denied);
  EXPECT_THAT(node.group().changes, IsEmpty());
  EXPECT_EQ(node.audited({.action = "node.remove"}).at(0).outcome, "permission_denied");
  EXPECT_TRUE(node.run(change_group(node.context(), node.as(node.token("olga")), {.kind = Kind::remove, .node = 1})));
}

TEST_F(Members, WhatCannotBeIsRefusedWithWhatWouldBeRight) {
  for (const std::string address : {"", "10.0.0.4", "10.0.0.4:", ":7848", "10.0.0.4:0", "10.0.0.4:70000", "a:b"}) {
    const auto refused = change({.kind = Kind::add, .node = 4, .address = address});
    ASSERT_FALSE(refused) << address;
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_THAT(refused.error().message, HasSubstr("host:port"));
  }
  EXPECT_EQ(change({.kind = Kind::promote, .node = 0}).error().code, Code::invalid_argument);
  EXPECT_THAT(node.group().changes, IsEmpty());
}

TEST_F(Members, ARefusalOfTheGroupIsAnsweredAndAudited) {
  node.group().refuse = [](const Change&) { return fail(Code::invalid_argument, "it has no vote"); };
  const auto refused = change({.kind = Kind::promote, .node = 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_EQ(node.audited({.action = "node.promote"}).at(0).message, "it has no vote");
}

TEST_F(Members, WhatIsSoAlreadyIsDone) {
  node.group().refuse = [](const Change&) { return fail(Code::already_exists, "it is"); };
  pretend_member(4, "10.0.0.4:7848", consensus::Membership::joining);
  EXPECT_TRUE(change({.kind = Kind::add, .node = 4, .address = "10.0.0.4:7848"}));
  EXPECT_FALSE(change({.kind = Kind::add, .node = 4, .address = "10.0.0.5:7848"})) << "somebody else";
  EXPECT_FALSE(change({.kind = Kind::add_observer, .node = 4, .address = "10.0.0.4:7848"}));
  EXPECT_FALSE(change({.kind = Kind::promote, .node = 4})) << "it does not vote yet";
  EXPECT_FALSE(change({.kind = Kind::remove, .node = 4}));
  pretend_member(4, "10.0.0.4:7848", consensus::Membership::observer);
  EXPECT_TRUE(change({.kind = Kind::demote, .node = 4}));
}

TEST_F(Members, WhatIsNotKnownToBeDoneMayGoOn) {
  node.group().refuse = [](const Change&) { return fail(Code::unavailable, "there is no leader"); };
  const auto unknown = change({.kind = Kind::remove, .node = 4});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::unavailable);
  EXPECT_THAT(unknown.error().message, HasSubstr("config-center cluster status"));
}

}  // namespace
}  // namespace cc::service
