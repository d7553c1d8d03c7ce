// What holds when the I/O threads are told of a change.
#include "node/state_machine.h"

#include <gtest/gtest.h>

#include "state/state_test.h"

namespace cc::node {
namespace {

// Who has the answer to a publish may scrape the metrics at once.
TEST(StateMachine, AChangeHasBeenCountedWhenItIsTold) {
  const TempDirectory folder;
  const auto state = state::State::open(folder.path() / "state.db").value();
  Counters counters;
  StateMachine machine(*state, counters, "a secret that is long enough for tests", false);
  state::Commands commands;
  ASSERT_TRUE(machine.apply(1, commands.initialize().SerializeAsString()));
  ASSERT_TRUE(machine.deliver([] {}));
  std::uint64_t counted = 0;
  ASSERT_TRUE(machine.go_live([&](const MessagePtr& message, std::move_only_function<void()>) {
    if (message->events.empty()) return;
    const std::lock_guard lock(counters.mutex);
    counted = counters.publishes["dev"];
  }));
  ASSERT_TRUE(machine.apply(2, commands.publish("dev/shop/default/a", "x", "text").SerializeAsString()));
  ASSERT_TRUE(machine.deliver([] {}));
  EXPECT_EQ(counted, 1u);
}

}  // namespace
}  // namespace cc::node
