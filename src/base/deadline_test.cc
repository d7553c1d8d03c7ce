#include "base/deadline.h"

#include <gtest/gtest.h>

namespace cc {
namespace {

using namespace std::chrono_literals;

TEST(Deadline, PassesAtItsTime) {
  ManualClock clock;
  const Deadline deadline(clock, clock.now() + 2s);
  EXPECT_FALSE(deadline.passed());
  EXPECT_EQ(deadline.left(), 2s);
  clock.advance(1999ms);
  EXPECT_FALSE(deadline.passed());
  EXPECT_EQ(deadline.left(), 1ms);
  clock.advance(1ms);
  EXPECT_TRUE(deadline.passed());
  EXPECT_EQ(deadline.left(), 0ms);
}

TEST(Deadline, PassesEarlierForWhoIsCalledOff) {
  ManualClock clock;
  std::stop_source source;
  const Deadline deadline(clock, clock.now() + 2s, source.get_token());
  EXPECT_FALSE(deadline.passed());
  source.request_stop();
  EXPECT_TRUE(deadline.passed());
  EXPECT_EQ(deadline.left(), 0ms);
}

TEST(Deadline, NeverPassesWithoutATime) {
  EXPECT_FALSE(Deadline().passed());
  EXPECT_EQ(Deadline().left(), 24h);
  ManualClock clock;
  EXPECT_EQ(Deadline(clock, Mono::max()).left(), 24h);
}

}  // namespace
}  // namespace cc
