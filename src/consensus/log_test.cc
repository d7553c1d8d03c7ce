#include "consensus/log.h"

#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "consensus/list_machine.h"

namespace cc::consensus {
namespace {

using testing::HasSubstr;

class LogTest : public testing::Test {
 protected:
  Options options() const {
    Options options;
    options.directory = folder.path() / "raft";
    options.min_free_disk = 0;
    options.reopen_delay = std::chrono::milliseconds(10);
    return options;
  }
  Path state() const { return folder.path() / "state"; }

  static std::unique_ptr<Log> opened(Options options, StateMachine& machine) {
    auto log = Log::open(std::move(options), machine);
    if (!log) {
      ADD_FAILURE() << log.error().message;
      return nullptr;
    }
    return *std::move(log);
  }

  static std::future<Result<std::string>> ask(Log& log, std::string command) {
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    auto answer = promise->get_future();
    log.propose(std::move(command), [promise](Result<std::string> result) { promise->set_value(std::move(result)); });
    return answer;
  }

  // Proposes until it is accepted: for what heals by itself.
  static void ask_until_accepted(Log& log, const std::string& command) {
    while (!ask(log, command).get())
      std::this_thread::yield();
  }

  static void propose_many(Log& log, int first, int count) {
    std::vector<std::future<Result<std::string>>> answers;
    for (int i = first; i < first + count; ++i)
      answers.push_back(ask(log, "command " + std::to_string(i)));
    for (auto& answer : answers) {
      const auto result = answer.get();
      ASSERT_TRUE(result) << result.error().message;
    }
  }

  static std::vector<std::string> texts(const ListMachine& machine) {
    std::vector<std::string> all;
    for (const auto& [index, command] : machine.commands())
      all.push_back(command);
    return all;
  }

  TempDirectory folder;
};

TEST_F(LogTest, AnswersAProposalWithWhatApplyingItReturned) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_EQ(ask(*log, "hello").get().value(), "did hello");
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
  EXPECT_EQ(status.servers[0].role, "voter");
}

TEST_F(LogTest, AppliesAndAnswersInTheOrderOfProposing) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  std::mutex mutex;
  std::vector<int> answered;
  std::latch all(1000);
  for (int i = 0; i < 1000; ++i) {
    log->propose(std::to_string(i), [&, i](Result<std::string> result) {
      EXPECT_TRUE(result);
      const std::lock_guard lock(mutex);
      answered.push_back(i);
      all.count_down();
    });
  }
  all.wait();
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
  machine.on_commit = [&, wait = go.get_future().share()] {
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

TEST_F(LogTest, ReplaysWhatAForgetfulMachineLacks) {
  {
    ListMachine machine;
    auto log = opened(options(), machine);
    ASSERT_TRUE(log);
    propose_many(*log, 0, 100);
  }
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_EQ(texts(machine).size(), 100u);
  EXPECT_EQ(texts(machine).back(), "command 99");
}

TEST_F(LogTest, DoesNotApplyAgainWhatAMachineRemembers) {
  {
    ListMachine machine(state());
    auto log = opened(options(), machine);
    ASSERT_TRUE(log);
    propose_many(*log, 0, 100);
  }
  ListMachine machine(state());
  machine.on_apply = [](std::string_view command) {
    EXPECT_EQ(command, "new");
    return Result<>{};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_TRUE(ask(*log, "new").get());
  EXPECT_EQ(texts(machine).size(), 101u);
}

}  // namespace
}  // namespace cc::consensus
