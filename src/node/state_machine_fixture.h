// A state machine over a state in a folder of its own, for tests.
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "node/state_machine.h"
#include "state/state_test.h"

namespace cc::node {

class StateMachineFixture : public testing::Test {
 protected:
  // As the next entry of the log.
  void apply(const log::Command& command) { EXPECT_TRUE(machine_.apply(++index_, command.SerializeAsString())); }
  void deliver() {
    EXPECT_TRUE(machine_.deliver([] {}));
  }

  TempDirectory folder_;
  state::Commands commands_;
  std::unique_ptr<state::State> state_ = state::State::open(folder_.path() / "state.db").value();
  Counters counters_;
  Bell committed_;
  StateMachine machine_{*state_, counters_, committed_, "a secret that is long enough for tests", false};

 private:
  consensus::Index index_ = 0;
};

}  // namespace cc::node
