#include "base/background.h"

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

namespace cc {
namespace {

struct Priority {
  int policy = 0, nice = 0;
  bool operator==(const Priority&) const = default;
};
Priority mine() {
  return {.policy = ::sched_getscheduler(::gettid()),
          .nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()))};
}

Priority after(void (*goes)()) {
  Priority there;
  std::jthread([&] {
    goes();
    there = mine();
  }).join();
  return there;
}

TEST(Background, is_where_the_thread_goes_that_asks_and_no_other) {
  const Priority before = mine();
  EXPECT_EQ(after(go_to_background).nice, std::max(before.nice, 10));
  EXPECT_EQ(after(go_to_idle).policy, SCHED_IDLE);
  EXPECT_EQ(mine(), before);
}

}  // namespace
}  // namespace cc
