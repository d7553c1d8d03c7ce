#include "playground/supervisor.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"

namespace cc::playground {
namespace {

using namespace std::chrono_literals;

// In real time: what it starts are real processes.
class SupervisorTest : public testing::Test {
 protected:
  // "Ready" as PostgreSQL says it.
  Component component(const std::string& name, const std::string& script, std::vector<std::string> needs = {}) const {
    const Path file = folder.path() / (name + ".pid");
    return {.name = name,
            .arguments = {"/bin/sh", "-c", script},
            .environment = {{"FILE", file.string()}},
            .folder = folder.path(),
            .needs = std::move(needs),
            .readiness = SaysReady{file}};
  }
  static bool step_until(Supervisor& supervisor, const std::function<bool()>& so) {
    for (int tries = 0; tries < 3000; ++tries) {
      supervisor.step();
      if (so()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  const std::string good = R"(printf '%s\n\n\n\n\n\n\nready\n' $$ >"$FILE"; exec sleep 1000)";
  TempDirectory folder;
  SystemClock clock;
};

TEST_F(SupervisorTest, StartsInOrderAgainWhenKilledAndEndsInTheOppositeOrder) {
  Supervisor supervisor(clock, folder.path(), {component("b", good, {"a"}), component("a", good)});
  supervisor.step();
  EXPECT_EQ(supervisor.statuses()[0].state, State::waiting);
  ASSERT_TRUE(step_until(supervisor, [&] { return supervisor.all_ready(); }));
  ::kill(supervisor.statuses()[1].process, SIGKILL);
  ASSERT_TRUE(step_until(supervisor, [&] { return supervisor.statuses()[1].state == State::died; }));
  EXPECT_EQ(supervisor.statuses()[1].why, "signal 9 (Killed)");
  ASSERT_TRUE(step_until(supervisor, [&] { return supervisor.all_ready(); }));
  EXPECT_EQ(supervisor.statuses()[1].restarts, 1U);
  supervisor.stop();
  supervisor.step();
  EXPECT_EQ(supervisor.statuses()[0].state, State::stopping);
  EXPECT_EQ(supervisor.statuses()[1].state, State::ready);
  EXPECT_TRUE(step_until(supervisor, [&] { return supervisor.all_stopped(); }));
}

TEST_F(SupervisorTest, WhatOutlivesItsParentIsGoneBeforeThatIsStartedAgain) {
  // As PostgreSQL's own processes: each has a session of its own.
  Supervisor supervisor(clock, folder.path(), {component("a", "setsid sleep 1000 & echo $! >child; " + good)});
  ASSERT_TRUE(step_until(supervisor, [&] { return supervisor.all_ready(); }));
  const auto child = parse_uint(trim(read_file(folder.path() / "child").value()), "child");
  ASSERT_TRUE(child);
  ::kill(supervisor.statuses()[0].process, SIGKILL);
  ASSERT_TRUE(step_until(supervisor, [&] { return supervisor.statuses()[0].state == State::died; }));
  EXPECT_EQ(::kill(static_cast<pid_t>(*child), 0), -1) << "it runs on";
}

TEST_F(SupervisorTest, WhoKeepsDyingIsShownWithItsLastWords) {
  Component missing = component("missing", "");
  missing.arguments = {"/nowhere/program"};
  Supervisor supervisor(clock, folder.path(), {component("bad", "echo one; echo; echo two; echo; exit 3"), missing});
  ASSERT_TRUE(step_until(supervisor, [&] { return supervisor.statuses()[0].restarts == 2; }));
  ASSERT_TRUE(step_until(supervisor, [&] { return supervisor.statuses()[0].state == State::died; }));
  EXPECT_EQ(supervisor.statuses()[0].why, "exit status 3: two");
  EXPECT_EQ(supervisor.statuses()[1].why, "exit status 127: /nowhere/program: No such file or directory");
}

}  // namespace
}  // namespace cc::playground
