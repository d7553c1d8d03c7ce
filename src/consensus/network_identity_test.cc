// Nodes that know the secret and yet are not to talk to each other.
#include "consensus/network_fixture.h"
#include "consensus/proxy_fixture.h"

namespace cc::consensus {
namespace {

using ::testing::HasSubstr;

struct IdentityTest : NetworkFixture {
  std::unique_ptr<TestNode> twin_of(const TestNode& node) {
    return std::make_unique<TestNode>(node.greeting.node, free_address(), options());
  }
};

TEST_F(IdentityTest, NodesOfTwoGroupsRefuseEachOtherAndSayWhy) {
  const auto one = node(1), two = node(2);
  one->greeting.group = "apples";
  two->greeting.group = "pears";
  start_and_connect(*one, *two);
  for (auto [each, other] : {std::pair{one.get(), two.get()}, std::pair{two.get(), one.get()}}) {
    const auto [by, why] = each->refusal();
    EXPECT_EQ(why.code, Code::conflict);
    EXPECT_THAT(why.message, HasSubstr("apples"));
    EXPECT_THAT(why.message, HasSubstr("pears"));
    EXPECT_THAT(why.message, HasSubstr("raft.peers"));
    EXPECT_EQ(by, other->peer());
    EXPECT_TRUE(each->look([&] { return each->mets.empty(); }));
  }
}

TEST_F(IdentityTest, ANodeWithoutAGroupTalksToAll) {
  const auto one = node(1), two = node(2);
  one->greeting.group = "apples";
  start_and_connect(*one, *two);
  EXPECT_TRUE(connected(*one, *two));
}

TEST_F(IdentityTest, ANodeThatFindsItselfInAnotherGroupIsRefusedFromThenOn) {
  const auto one = node(1), two = node(2);
  one->greeting.group = "apples";
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  two->greeting.group = "pears";
  (*two)->introduce(two->greeting);
  EXPECT_EQ(one->refusal().second.code, Code::conflict);
  EXPECT_EQ(two->refusal().second.code, Code::conflict);
  EXPECT_TRUE(one->until([&] { return one->losses[2] > 0; }));
  EXPECT_TRUE(two->until([&] { return two->losses[1] > 0; }));
}

TEST_F(IdentityTest, WhoWasRefusedIsMetOnceTheReasonIsGone) {
  const auto one = node(1), two = node(2);
  one->greeting.group = "apples";
  two->greeting.group = "pears";
  start_and_connect(*one, *two);
  ASSERT_EQ(one->refusal().second.code, Code::conflict);
  two->greeting.group = "apples";
  (*two)->introduce(two->greeting);
  EXPECT_TRUE(connected(*one, *two));
}

TEST_F(IdentityTest, ASecondNodeUnderATakenIdIsRefusedByTheOthers) {
  const auto one = node(1), two = node(2), twin = twin_of(*two);
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  twin->start();
  (*twin)->connect_to({one->peer()});
  const auto [by, why] = twin->refusal();
  EXPECT_EQ(why.code, Code::conflict);
  EXPECT_THAT(why.message, HasSubstr("raft.node_id 2 is taken"));
  EXPECT_THAT(why.message, HasSubstr(two->peer().address));
  EXPECT_EQ(by, one->peer());
  EXPECT_TRUE(connected(*one, *two));
  EXPECT_EQ(one->look([&] { return one->losses[2]; }), 0);
}

TEST_F(IdentityTest, ASecondNodeUnderATakenIdIsRefusedByWhoDialsItToo) {
  const auto one = node(1), two = node(2), twin = twin_of(*two);
  one->start();
  two->start();
  twin->start();
  (*two)->connect_to({one->peer()});
  ASSERT_TRUE(connected(*one, *two));
  (*one)->connect_to({twin->peer()});
  const Error why = twin->refusal().second;
  EXPECT_EQ(why.code, Code::conflict);
  EXPECT_THAT(why.message, HasSubstr("is taken"));
}

TEST_F(IdentityTest, TheIdOfANodeThatEndedIsFree) {
  const auto one = node(1), two = node(2), next = twin_of(*two);
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  two->stop();
  next->start();
  (*next)->connect_to({one->peer()});
  EXPECT_TRUE(one->hears(*next, "here"));
  EXPECT_TRUE(next->look([&] { return next->refusals.empty(); }));
}

// As when its machine lost power, or the network between: nobody says that it is gone.
TEST_F(IdentityTest, TheIdOfANodeThatFellSilentIsFree) {
  const auto one = node(1), two = node(2), next = twin_of(*two);
  const std::string between = free_address(), back = free_address();
  Proxy there(between, one->peer().address), and_back(back, two->peer().address);
  two->greeting.address = back;
  one->start();
  two->start();
  (*two)->connect_to({{1, between}});
  ASSERT_TRUE(connected(*one, *two));
  there.silent = and_back.silent = true;
  next->start();
  (*next)->connect_to({one->peer()});
  EXPECT_TRUE(one->hears(*next, "here"));
  EXPECT_TRUE(next->look([&] { return next->refusals.empty(); }));
}

TEST_F(IdentityTest, ANodeRefusesAnotherWithItsOwnId) {
  const auto one = node(1), twin = twin_of(*one);
  one->start();
  twin->start();
  (*twin)->connect_to({{2, one->peer().address}});
  const Error why = twin->refusal().second;
  EXPECT_EQ(why.code, Code::conflict);
  EXPECT_THAT(why.message, HasSubstr("same raft.node_id"));
  EXPECT_TRUE(one->look([&] { return one->mets.empty(); }));
}

TEST_F(IdentityTest, AnAddressThatLeadsToTheNodeItselfIsNoticed) {
  const auto one = node(1);
  one->start();
  (*one)->connect_to({{2, one->peer().address}});
  const Error why = one->refusal().second;
  EXPECT_EQ(why.code, Code::conflict);
  EXPECT_THAT(why.message, HasSubstr("to itself"));
}

TEST_F(IdentityTest, AnAddressThatLeadsToAnotherNodeIsNoticed) {
  const auto one = node(1), two = node(2);
  one->start();
  two->start();
  (*one)->connect_to({{3, two->peer().address}});
  const Error why = one->refusal().second;
  EXPECT_EQ(why.code, Code::not_found);
  EXPECT_THAT(why.message, HasSubstr("is node 2, not node 3"));
  EXPECT_TRUE(two->look([&] { return two->refusals.empty(); }));
}

}  // namespace
}  // namespace cc::consensus
