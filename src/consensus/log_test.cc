#include "consensus/log.h"

#include <future>
#include <latch>
#include <mutex>

#include "consensus/log_fixture.h"

namespace cc::consensus {
namespace {

class LogTest : public LogFixture {};

TEST_F(LogTest, AnswersAProposalWithWhatApplyingItReturned) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_EQ(ask(*log, "hello").get().value(), "did hello");
  ASSERT_TRUE(log->settle());
  EXPECT_EQ(texts(machine), std::vector<std::string>{"hello"});
}

TEST_F(LogTest, AGroupOfOneLeadsWhenOpenReturns) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  const Status status = log->status();
  EXPECT_EQ(status.role, Role::leader);
  EXPECT_EQ(status.leader_id, 1u);
  EXPECT_EQ(status.elections, 1u);
  EXPECT_EQ(status.trouble, "");
  ASSERT_EQ(status.servers.size(), 1u);
  EXPECT_EQ(status.servers[0].membership, Membership::voter);
}

TEST_F(LogTest, AppliesAndAnswersInTheOrderOfProposing) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  std::mutex mutex;
  std::vector<int> answered;
  std::latch all(1000);
  for (int i = 0; i < 1000; ++i) {
    log->propose(std::to_string(i), kPatience, [&, i](Result<std::string> result) {
      EXPECT_TRUE(result);
      const std::lock_guard lock(mutex);
      answered.push_back(i);
      all.count_down();
    });
  }
  all.wait();
  ASSERT_TRUE(log->settle());
  const auto applied = texts(machine);
  ASSERT_EQ(applied.size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(applied[static_cast<std::size_t>(i)], std::to_string(i));
    EXPECT_EQ(answered[static_cast<std::size_t>(i)], i);
  }
}

TEST_F(LogTest, ManyProposalsShareOneCommit) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  std::promise<void> go;
  bool first = true;
  machine.on_deliver = [&, wait = go.get_future().share()] {
    if (std::exchange(first, false)) wait.wait();
    return Result<>{};
  };
  std::vector<std::future<Result<std::string>>> answers;
  for (int i = 0; i < 500; ++i)
    answers.push_back(ask(*log, std::to_string(i)));
  go.set_value();
  for (auto& answer : answers)
    EXPECT_TRUE(answer.get());
  EXPECT_LT(machine.batches().size(), 100u);
}

TEST_F(LogTest, UnderLoadManyBatchesShareOneTransactionOfTheMachine) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  constexpr int kInFlight = 64;  // each follows itself, so that there is always a next batch
  std::atomic<int> begun = kInFlight;
  std::latch all(kInFlight);
  std::function<void()> propose = [&] {
    log->propose("x", kPatience, [&](Result<std::string> result) {
      EXPECT_TRUE(result);
      ++begun <= 5000 ? propose() : all.count_down();
    });
  };
  for (int i = 0; i < kInFlight; ++i)
    propose();
  all.wait();
  log.reset();
  EXPECT_LT(machine.transactions().size(), machine.batches().size());
}

TEST_F(LogTest, WhatWasAnsweredIsInTheMachinesFileOnceItHasSettled) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  for (int i = 0; i < 200; ++i) {
    auto further = ask(*log, "further " + std::to_string(i));  // keeps the log busy
    ASSERT_TRUE(ask(*log, std::to_string(i)).get());
    ASSERT_TRUE(log->settle());
    EXPECT_EQ(std::ranges::count(texts(machine), std::to_string(i)), 1);
    ASSERT_TRUE(further.get());
  }
}

TEST_F(LogTest, WhatIsSettledCanBeLookedAtOnTheLogThreadBeforeAnythingElseHappens) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  ASSERT_TRUE(ask(*log, "x").get());
  std::promise<std::size_t> seen;
  log->settle([&](const Result<>& settled) {
    EXPECT_TRUE(settled);
    seen.set_value(machine.commands().size());
  });
  EXPECT_EQ(seen.get_future().get(), 1u);
}

TEST_F(LogTest, EveryProposalIsAnsweredOnceWhenTheLogIsShutDown) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  std::atomic<int> done = 0;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 5000; ++i) {
    log->propose(std::to_string(i), kPatience, [&](Result<std::string> result) {
      ++(result ? done : refused);
      if (!result) EXPECT_EQ(result.error().code, Code::unavailable);
    });
  }
  log.reset();
  EXPECT_EQ(done + refused, 5000);
  EXPECT_EQ(static_cast<int>(machine.commands().size()), done);
}

TEST_F(LogTest, TakesACommandLargerThanASegmentOfTheLog) {
  const std::string large = std::string(64u << 20, 'x') + "end";
  {
    ListMachine machine;
    auto log = opened(options(), machine);
    ASSERT_TRUE(log);
    auto before = ask(*log, "before");
    auto answer = ask(*log, large);
    auto after = ask(*log, "after");
    EXPECT_TRUE(before.get());
    const auto result = answer.get();
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(after.get());
  }
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  ASSERT_EQ(machine.commands().size(), 3u);
  EXPECT_TRUE(texts(machine)[1] == large);
}

TEST_F(LogTest, RefusesWhatIsTooLargeAndSaysTheLimit) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  const auto result = ask(*log, std::string((128u << 20) + 1, 'x')).get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::exhausted);
  EXPECT_THAT(result.error().message, testing::HasSubstr("128"));
  EXPECT_TRUE(ask(*log, "small").get());
}

TEST_F(LogTest, RefusesMoreThanMayBePending) {
  ListMachine machine;
  Options limited = options();
  limited.max_pending_bytes = 1000;
  auto log = opened(limited, machine);
  ASSERT_TRUE(log);
  std::promise<void> go;
  machine.on_deliver = [wait = go.get_future().share()] {
    wait.wait();
    return Result<>{};
  };
  auto first = ask(*log, std::string(600, 'a'));
  const auto second = ask(*log, std::string(600, 'b')).get();
  go.set_value();
  EXPECT_TRUE(first.get());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::exhausted);
  EXPECT_TRUE(ask(*log, std::string(600, 'c')).get());
  EXPECT_EQ(log->status().proposals_failed, 1u);
}

TEST_F(LogTest, ReportsHowLongCommitsTookAndHowManyEachHad) {
  ListMachine machine;
  std::size_t committed = 0;
  std::size_t applied = 0;
  std::chrono::nanoseconds written{0};
  Observer observer;
  observer.committed = [&](auto) { ++committed; };
  observer.written = [&](auto took) { written += took; };
  observer.applied = [&](auto, std::size_t commands) { applied += commands; };
  {
    auto log = Log::open(options(), machine, observer);
    ASSERT_TRUE(log);
    propose_many(**log, 0, 100);
  }
  EXPECT_EQ(committed, 100u);
  EXPECT_EQ(applied, 100u);
  EXPECT_GT(written.count(), 0);
}

TEST_F(LogTest, StatusFollowsTheLog) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  propose_many(*log, 0, 50);
  ASSERT_TRUE(eventually([&] { return log->status().applied == 51; }));  // the first entry is the membership
  const Status status = log->status();
  EXPECT_EQ(status.first, 1u);
  EXPECT_EQ(status.last, 51u);
  EXPECT_EQ(status.commit, 51u);
  EXPECT_EQ(status.proposals, 50u);
  EXPECT_EQ(status.pending, 0u);
  EXPECT_TRUE(eventually([&] { return log->status().log_bytes > 0; }));
}

TEST_F(LogTest, RefusesAHeartbeatThatIsNotShorterThanTheElectionTimeout) {
  ListMachine machine;
  Options wrong = options();
  wrong.heartbeat_interval = wrong.election_timeout;
  EXPECT_EQ(refused(wrong, machine).code, Code::invalid_argument);
}

}  // namespace
}  // namespace cc::consensus
