#include "base/bell.h"

#include <thread>

#include <gtest/gtest.h>

namespace cc {
namespace {

using namespace std::chrono_literals;

TEST(ABell, is_heard_by_who_waits_and_by_who_comes_later) {
  Bell bell;
  std::jthread rings([&] { bell.ring(); });
  EXPECT_EQ(bell.wait(0, 1h, {}), 1u);
  EXPECT_EQ(bell.wait(0, 1h, {}), 1u) << "rang before";
}

TEST(ABell, is_not_waited_for_longer_than_asked) {
  Bell bell;
  EXPECT_EQ(bell.wait(0, 1ms, {}), 0u);
  std::stop_source stop;
  std::jthread stops([&] { stop.request_stop(); });
  EXPECT_EQ(bell.wait(0, 1h, stop.get_token()), 0u);
}

}  // namespace
}  // namespace cc
