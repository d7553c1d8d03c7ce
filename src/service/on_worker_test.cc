#include "service/on_worker.h"

#include <latch>

#include <gmock/gmock.h>

#include "identity/password.h"
#include "service/configs.h"
#include "service/login.h"
#include "service/test_node.h"
#include "service/users.h"

namespace cc::service {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class OnWorker : public testing::Test {
 protected:
  using Running = std::shared_ptr<TestNode::Running<Result<int>>>;

  ~OnWorker() override {
    if (!released_) release();
  }

  // A job that only says that it was begun.
  auto count() {
    return [this](const Deadline&) -> Result<int> { return ++begun; };
  }
  Running start(Work kind, const Call& by) { return node.start(on_worker(node.context(), by, kind, count())); }

  // Occupies all threads for searches until release().
  void occupy_searches() {
    for (std::size_t i = 0; i < Workers::kSearches; ++i) {
      occupants.push_back(node.start(on_worker(node.context(), call, Work::search, [this](const Deadline&) {
        occupied.count_down();
        held.wait();
        return Result<int>(0);
      })));
    }
    occupied.wait();
  }
  void release() {
    released_ = true;
    held.count_down();
    for (const auto& one : occupants)
      static_cast<void>(one->value());
  }

  TestNode node;
  Call call = node.admin();
  std::atomic<int> begun = 0;
  std::latch occupied{Workers::kSearches}, held{1};
  std::vector<Running> occupants;

 private:
  bool released_ = false;
};

TEST_F(OnWorker, AnswersWhatTheJobSaid) {
  EXPECT_EQ(node.run(on_worker(node.context(), call, Work::document, count())).value(), 1);
  const auto failed = node.run(on_worker(node.context(), call, Work::document,
                                         [](const Deadline&) -> Result<int> { return fail(Code::conflict, "no"); }));
  EXPECT_EQ(failed.error().message, "no");
}

TEST_F(OnWorker, WhatComesToItsTurnTooLateIsNotBegun) {
  occupy_searches();
  const auto late = start(Work::search, call);
  Call patient = call;
  patient.deadline = node.clock().now() + 2min;
  const auto in_time = start(Work::search, patient);
  node.clock().advance(1min);
  release();
  const auto refused = late->value();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::timeout);
  EXPECT_THAT(refused.error().message, HasSubstr("nothing was done"));
  EXPECT_TRUE(in_time->value());
  EXPECT_EQ(begun, 1);
}

TEST_F(OnWorker, TheWorkOfACallerWhoLeftIsNotBegun) {
  occupy_searches();
  const auto left = start(Work::search, call);
  left->cancel();
  node.settle();
  release();
  node.until([&] { return left->done(); });
  EXPECT_EQ(begun, 0);
}

TEST_F(OnWorker, WorkThatHasBegunIsToldWhenItsCallerLeft) {
  std::latch began(1);
  const auto left = node.start(on_worker(node.context(), call, Work::search, [&](const Deadline& until) -> Result<int> {
    began.count_down();
    while (!until.passed())
      std::this_thread::yield();
    return 0;
  }));
  began.wait();
  left->cancel();
  node.until([&] { return left->done(); });
}

TEST_F(OnWorker, WorkThatHasBegunIsToldWhenItsTimeIsUp) {
  std::latch began(1);
  const auto late = node.start(on_worker(node.context(), call, Work::search, [&](const Deadline& until) -> Result<int> {
    began.count_down();
    while (!until.passed())
      std::this_thread::yield();
    return 7;
  }));
  began.wait();
  node.clock().advance(1min);
  EXPECT_EQ(late->value().value(), 7);
}

TEST_F(OnWorker, ASearchThatTakesTooLongEndsByItself) {
  for (int i = 0; i < 200; ++i) {  // more than SQLite does between two looks at the clock
    ASSERT_TRUE(node.run(publish(node.context(), node.admin(),
                                 {.key = ConfigKey::parse("dev/shop/default/" + std::to_string(i)).value(),
                                  .content = "x",
                                  .format = Format::text,
                                  .comment = {},
                                  .expected = {}})));
  }
  const auto slow = node.run(ask(node.context(), call, Work::search, [&](const state::Queries& queries) {
    const auto visible = [&](const ConfigKey&) {
      node.clock().advance(1s);
      return false;
    };
    return queries.configs({}, {}, visible);
  }));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Code::timeout);
  EXPECT_TRUE(node.run(list_configs(node.context(), node.admin(), {}, {}))) << "the connection works on";
}

TEST_F(OnWorker, SlowSearchesKeepNobodyElseWaiting) {
  ASSERT_TRUE(
      node.run(put_user(node.context(), call, {.name = "ann", .display_name = {}, .password = "password of ann"})));
  occupy_searches();
  const Call nobody = node.nobody();
  node.clock().advance(1ms);
  EXPECT_TRUE(node.run(log_in(node.context(), nobody, "ann", "password of ann")));
  EXPECT_TRUE(node.run(publish(node.context(), node.admin(),
                               {.key = ConfigKey::parse("dev/shop/default/large.txt").value(),
                                .content = std::string(100'000, 'x'),
                                .format = Format::text,
                                .comment = {},
                                .expected = {}})));
  EXPECT_EQ(node.run(read_release(node.context(), node.admin(), ConfigKey::parse("dev/a/b/c").value(), 1)).error().code,
            Code::not_found);
}

TEST_F(OnWorker, MoreThanMayWaitIsTurnedAwayAtOnceAndOnlyOfThatKind) {
  occupy_searches();
  std::vector<Running> waiting;
  for (int i = 0; i < 1000 && (waiting.empty() || !waiting.back()->done()); ++i)
    waiting.push_back(start(Work::search, call));
  ASSERT_TRUE(waiting.back()->done());
  const auto refused = waiting.back()->value();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  EXPECT_EQ(refused.error().details, R"({"retry_after_seconds":1})");
  EXPECT_TRUE(start(Work::question, call)->value());
  release();
  for (const auto& one : waiting)
    node.until([&] { return one->done(); });
  EXPECT_TRUE(start(Work::search, call)->value()) << "there is room again";
}

TEST_F(OnWorker, LackOfMemoryIsAnAnswer) {
  const auto answer = node.run(
      on_worker(node.context(), call, Work::document, [](const Deadline&) -> Result<int> { throw std::bad_alloc(); }));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::exhausted);
}

}  // namespace
}  // namespace cc::service
