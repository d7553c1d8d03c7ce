// What the I/O threads are told, and what holds when they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/state_machine_fixture.h"

namespace cc::node {
namespace {

class StateMachineTest : public StateMachineFixture {
 protected:
  void go_live(StateMachine& machine) {
    EXPECT_TRUE(machine.go_live([this](const MessagePtr& message, std::move_only_function<void()> then) {
      told_.push_back(message->cluster_id);
      if (then) then();
    }));
  }
  void deliver(const log::Command& command) {
    apply(command);
    StateMachineFixture::deliver();
  }

  std::vector<std::string> told_;  // the cluster of each message
};

TEST_F(StateMachineTest, io_threads_are_told_of_the_cluster_with_the_command_that_makes_it) {
  go_live(machine_);
  EXPECT_THAT(told_, testing::ElementsAre(""));
  deliver(commands_.initialize());
  EXPECT_THAT(told_.back(), commands_.initialize().initialize_cluster().cluster_id());
  deliver(commands_.put_user("li"));
  EXPECT_THAT(told_.back(), "") << "they know";
}

TEST_F(StateMachineTest, io_threads_are_told_of_the_cluster_that_was_there) {
  deliver(commands_.initialize());
  ASSERT_TRUE(machine_.commit());
  go_live(machine_);
  EXPECT_THAT(told_.back(), commands_.initialize().initialize_cluster().cluster_id());
}

TEST_F(StateMachineTest, a_second_cluster_is_refused_and_the_first_stays) {
  go_live(machine_);
  deliver(commands_.initialize());
  log::Command second = commands_.initialize();
  second.mutable_initialize_cluster()->set_cluster_id("another");
  deliver(second);
  EXPECT_THAT(told_.back(), "");
  ASSERT_TRUE(machine_.commit());
  EXPECT_EQ(machine_.group(), commands_.initialize().initialize_cluster().cluster_id());
}

TEST_F(StateMachineTest, io_threads_are_told_of_the_cluster_that_a_snapshot_brings) {
  deliver(commands_.initialize());
  ASSERT_TRUE(machine_.commit());
  const Path file = folder_.path() / "snapshot";
  ASSERT_TRUE(machine_.begin_snapshot().value()->write(file));

  const auto fresh = state::State::open(folder_.path() / "other.db").value();
  StateMachine other(*fresh, counters_, committed_, "a secret that is long enough for tests", false);
  go_live(other);
  EXPECT_THAT(told_.back(), "");
  ASSERT_TRUE(other.restore(file));
  EXPECT_EQ(told_.back(), commands_.initialize().initialize_cluster().cluster_id());
}

// Who has the answer to a publish may scrape the metrics at once.
TEST_F(StateMachineTest, a_change_has_been_counted_when_it_is_told) {
  deliver(commands_.initialize());
  std::uint64_t counted = 0;
  EXPECT_TRUE(machine_.go_live([&](const MessagePtr& message, std::move_only_function<void()>) {
    if (message->events.empty()) return;
    const std::lock_guard lock(counters_.mutex);
    counted = counters_.publishes["dev"];
  }));
  deliver(commands_.publish("dev/shop/default/a", "x", "text"));
  EXPECT_EQ(counted, 1u);
}

}  // namespace
}  // namespace cc::node
