#include "service/context.h"

#include <gmock/gmock.h>

#include "service/configs.h"
#include "service/test_node.h"

namespace cc::service {
namespace {

using testing::HasSubstr;

log::Command put_environment(const std::string& name) {
  log::Command command;
  command.mutable_put_environment()->set_name(name);
  command.mutable_put_environment()->set_create_only(true);
  return command;
}

TEST(Propose, AnswersOnceTheIoThreadServesTheOutcome) {
  TestNode node;
  const auto outcome = node.run(propose(node.context(), node.admin(), put_environment("test")));
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->created());
  EXPECT_EQ(node.view().revision(), outcome->revision());
}

TEST(Propose, StampsWhoFromWhereWhenAndUnderWhichId) {
  TestNode node;
  Call call = node.admin();
  call.request_id = "my-id";
  node.clock().advance(std::chrono::hours(1));
  call.deadline = node.clock().now() + std::chrono::seconds(1);
  ASSERT_TRUE(node.run(propose(node.context(), call, put_environment("test"))));
  const auto records = node.audited({.action = "environment.create"});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].actor, "admin");
  EXPECT_EQ(records[0].address, "10.0.0.1");
  EXPECT_EQ(records[0].request_id, "my-id");
  EXPECT_EQ(records[0].time, node.clock().wall());
}

TEST(Propose, ARefusalOfTheLogIsAnError) {
  TestNode node;
  const auto outcome = node.run(propose(node.context(), node.admin(), put_environment("dev")));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::already_exists);
  EXPECT_THAT(outcome.error().message, HasSubstr("dev"));
}

TEST(Propose, ARepeatedRequestHasTheFirstOutcome) {
  TestNode node;
  const Call call = node.admin();
  const auto first = node.run(propose(node.context(), call, put_environment("test")));
  const auto again = node.run(propose(node.context(), call, put_environment("test")));
  ASSERT_TRUE(first && again);
  EXPECT_FALSE(first->repeated_request());
  EXPECT_TRUE(again->repeated_request());
  EXPECT_EQ(again->revision(), first->revision());
  EXPECT_TRUE(again->created());
}

TEST(Propose, DoesNothingWhenTheTimeIsUpAlready) {
  TestNode node;
  const Call call = node.admin();
  node.clock().advance(std::chrono::minutes(1));
  const auto before = node.view().revision();
  const auto outcome = node.run(propose(node.context(), call, put_environment("test")));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::timeout);
  EXPECT_THAT(outcome.error().message, HasSubstr("nothing was changed"));
  node.must(put_environment("test"));  // it is not there yet
  EXPECT_EQ(node.view().revision(), before + 1);
}

TEST(Propose, TellsToRepeatUnderTheSameIdWhenTheLogDoesNotAnswerInTime) {
  TestNode node;
  Call call = node.admin();
  call.deadline = node.clock().now() + std::chrono::milliseconds(20);
  node.machine().hold();
  const auto late = node.run(propose(node.context(), call, put_environment("test")));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::timeout);
  EXPECT_THAT(late.error().message, HasSubstr("same request id, " + call.request_id));

  node.machine().release();
  call.deadline = node.clock().now() + std::chrono::seconds(30);
  const auto again = node.run(propose(node.context(), call, put_environment("test")));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated_request());
}

TEST(Propose, WithoutALeaderWhatIsNotAnsweredInTimeIsUnavailable) {
  TestNode node;
  Call call = node.admin();
  call.deadline = node.clock().now() + std::chrono::milliseconds(20);
  node.machine().hold();
  node.group().without_leader = true;
  const auto late = node.run(propose(node.context(), call, put_environment("test")));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::unavailable);
  EXPECT_THAT(late.error().message, HasSubstr("same request id, " + call.request_id));
}

TEST(Propose, AnAnswerThatComesAfterItsCallerLeftIsDropped) {
  TestNode node;
  node.machine().hold();
  {
    auto call = std::make_unique<Call>(node.admin());
    auto leaving = node.start(propose(node.context(), *call, put_environment("test")));
    EXPECT_FALSE(leaving->done());
    leaving->cancel();
    node.until([&] { return leaving->done(); });
  }
  node.machine().release();
  node.until([&] { return node.run(propose(node.context(), node.admin(), put_environment("more"))).has_value(); });
  EXPECT_EQ(node.queries().environments().value().size(), 4u);
}

TEST(Authorise, LetsPassWhoMayAndRecordsWhoMayNot) {
  TestNode node;
  node.user("vera", {{.role = Role::viewer, .scope = {.environment = "dev"}}});
  const Call vera = node.as(node.token("vera"));
  EXPECT_TRUE(authorise(node.context(), vera, Permission::read, "config.read", "dev/a/b/c", "dev", "a"));
  const auto refused = authorise(node.context(), vera, Permission::publish, "config.publish", "dev/a/b/c", "dev", "a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::permission_denied);

  const auto records = node.audited({.outcome = "permission_denied"});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].actor, "vera");
  EXPECT_EQ(records[0].action, "config.publish");
  EXPECT_EQ(records[0].target, "dev/a/b/c");
  EXPECT_EQ(records[0].request_id, vera.request_id);
  EXPECT_EQ(records[0].revision, 0u);
}

TEST(Authorise, WhoIsNotLoggedInIsToldToDoThat) {
  TestNode node;
  const auto refused = authorise(node.context(), node.nobody(), Permission::read, "config.read", "dev/a/b/c");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unauthenticated);
}

TEST(Authorise, ARefusalOfWhatIsNoTextHarmsNothing) {
  TestNode node;
  EXPECT_FALSE(authorise(node.context(), node.nobody(), Permission::read, "config.read", "\xff", "\xff", "\xff"));
  ASSERT_EQ(node.audited({.action = "config.read"}).size(), 1u);
  EXPECT_TRUE(node.run(propose(node.context(), node.admin(), put_environment("test"))));
}

TEST(Authorise, AListIsRefusedOnlyToWhoMaySeeNoneOfIt) {
  TestNode node;
  node.user("vera", {{.role = Role::viewer, .scope = {.environment = "dev", .application = "shop"}}});
  const Call vera = node.as(node.token("vera"));
  EXPECT_TRUE(authorise_somewhere(node.context(), vera, Permission::read, "config.list"));
  EXPECT_TRUE(authorise_somewhere(node.context(), vera, Permission::read, "config.list", "dev"));
  EXPECT_FALSE(authorise_somewhere(node.context(), vera, Permission::read, "config.list", "prod"));
  EXPECT_FALSE(authorise_somewhere(node.context(), vera, Permission::edit_draft, "draft.list"));
}

}  // namespace
}  // namespace cc::service
