// What the tests of the log have in common.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "consensus/list_machine.h"
#include "consensus/log.h"

namespace cc::consensus {

class LogFixture : public testing::Test {
 protected:
  using Reply = std::future<Result<std::string>>;

  Options options() const {
    Options options;
    options.directory = raft();
    options.min_free_disk = 0;
    options.reopen_delay = std::chrono::milliseconds(10);
    return options;
  }
  Path raft() const { return folder.path() / "raft"; }
  Path state() const { return folder.path() / "state"; }

  // What a machine that died at this moment would find on its disk. requires: the log is idle
  Path crash_image() const {
    const Path image = folder.path() / ("image" + std::to_string(++images));
    std::filesystem::copy(raft(), image, std::filesystem::copy_options::recursive);
    return image;
  }

  // A file of the folder whose name starts with `prefix`.
  static Path file_in(const Path& directory, std::string_view prefix) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.path().filename().string().starts_with(prefix)) return entry.path();
    }
    ADD_FAILURE() << "no file " << prefix << "* in " << directory;
    return {};
  }

  static std::unique_ptr<Log> opened(Options options, StateMachine& machine) {
    auto log = Log::open(std::move(options), machine);
    if (!log) {
      ADD_FAILURE() << log.error().message;
      return nullptr;
    }
    return *std::move(log);
  }
  static Error refused(Options options, StateMachine& machine) {
    auto log = Log::open(std::move(options), machine);
    if (!log) return log.error();
    ADD_FAILURE() << "the log opened";
    return {};
  }

  static constexpr std::chrono::seconds kPatience{60};  // only ends a test that has failed

  static Reply ask(Log& log, std::string command) {
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    auto answer = promise->get_future();
    log.propose(std::move(command), kPatience,
                [promise](Result<std::string> result) { promise->set_value(std::move(result)); });
    return answer;
  }

  static void propose_many(Log& log, int first, int count) {
    std::vector<Reply> answers;
    for (int i = first; i < first + count; ++i)
      answers.push_back(ask(log, "command " + std::to_string(i)));
    for (auto& answer : answers) {
      const auto result = answer.get();
      ASSERT_TRUE(result) << result.error().message;
    }
    EXPECT_TRUE(log.settle());
  }

  // For what happens by itself; the limit only ends a test that has failed.
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      std::this_thread::yield();
    }
    return true;
  }
  static bool accepted_at_last(Log& log, const std::string& command) {
    return eventually([&] { return ask(log, command).get().has_value(); }) && log.settle();
  }

  static std::vector<std::string> texts(const ListMachine& machine) {
    std::vector<std::string> all;
    for (const auto& [index, command] : machine.commands())
      all.push_back(command);
    return all;
  }

  TempDirectory folder;
  mutable int images = 0;
};

}  // namespace cc::consensus
