#include "service/freshness.h"

#include <gmock/gmock.h>

#include "service/configs.h"
#include "service/test_node.h"

namespace cc::service {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Freshly : public testing::Test {
 protected:
  Revision publish(const std::string& content = "x") {
    return node
        .run(service::publish(
            node.context(), node.admin(),
            {.key = ConfigKey::parse("dev/shop/default/a").value(), .content = content, .format = Format::text}))
        .value()
        .revision;
  }
  auto start(Freshness wanted) {
    const Call call = node.admin();
    return node.start(await_fresh(node.context(), call.session, call.deadline, wanted));
  }

  TestNode node;
};

TEST_F(Freshly, WhatTheNodeHasIsThereAtOnce) {
  const Revision revision = publish();
  EXPECT_TRUE(start({.min_revision = revision})->done());
  EXPECT_TRUE(start({})->done());
}

TEST_F(Freshly, ARevisionThatIsToComeIsWaitedFor) {
  const Revision revision = publish();
  auto waiting = start({.min_revision = revision + 2});
  publish("1");
  EXPECT_FALSE(waiting->done());
  publish("2");
  EXPECT_TRUE(waiting->value());
  EXPECT_EQ(node.view().revision(), revision + 2);
}

TEST_F(Freshly, ARevisionThatDoesNotComeIsATimeoutThatTellsTheNodesOwn) {
  const Revision revision = publish();
  const Call call = node.admin();
  auto waiting = node.start(await_fresh(node.context(), call.session, node.clock().now() + std::chrono::milliseconds(5),
                                        {.min_revision = revision + 1}));
  EXPECT_FALSE(waiting->done());
  node.clock().advance(std::chrono::milliseconds(5));
  const auto late = waiting->value();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::timeout);
  EXPECT_THAT(late.error().message, HasSubstr("revision " + std::to_string(revision)));
  EXPECT_THAT(late.error().message, HasSubstr("another node"));
  EXPECT_THAT(late.error().details, HasSubstr("\"revision\":" + std::to_string(revision)));
  EXPECT_EQ(call.session->waits(), 0u);
}

TEST_F(Freshly, NobodyWaitsForARevisionLongerThanANodeCatchesUp) {
  auto waiting = start({.min_revision = 1'000});  // the call has 30 s
  node.clock().advance(kLongestCatchingUp - std::chrono::milliseconds(1));
  node.context().sessions.wake_all();
  node.settle();
  EXPECT_FALSE(waiting->done());
  node.clock().advance(std::chrono::milliseconds(1));
  node.context().sessions.wake_all();
  const auto late = waiting->value();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::timeout);
}

TEST_F(Freshly, WhenTheNodeStopsTheWaitEnds) {
  auto waiting = start({.min_revision = 1'000});
  stop_waiting(node.context());
  const auto ended = waiting->value();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::unavailable);
}

TEST_F(Freshly, AClientThatLeavesWaitsNoLonger) {
  auto waiting = start({.min_revision = 1'000});
  waiting->cancel();
  node.until([&] { return waiting->done(); });
  EXPECT_TRUE(waiting->broken_off());
  node.view().update({}, 1'000);  // touches nothing that is gone
}

TEST_F(Freshly, AStrongReadWaitsForTheBarrier) {
  node.group().hold_barriers = true;
  auto waiting = start({.strong = true});
  EXPECT_FALSE(waiting->done());
  ASSERT_THAT(node.group().barriers, SizeIs(1));
  node.group().barriers.front()({});
  EXPECT_TRUE(waiting->value());
}

TEST_F(Freshly, WithoutALeaderThereIsNoStrongRead) {
  node.group().without_leader = true;
  const auto refused = start({.strong = true})->value();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("without consistency=strong"));
  EXPECT_TRUE(start({.min_revision = node.view().revision()})->value());
}

TEST_F(Freshly, ABarrierThatNobodyAnswersEndsWithTheCall) {
  node.group().hold_barriers = true;
  const Call call = node.admin();
  const auto ended = node.run(await_fresh(node.context(), call.session, node.clock().now(), {.strong = true}));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::timeout);
}

}  // namespace
}  // namespace cc::service
