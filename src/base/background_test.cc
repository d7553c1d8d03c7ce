#include "base/background.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>
#include <time.h>

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

// The calling thread from now on.
void stay_on(int processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  ASSERT_EQ(::sched_setaffinity(::gettid(), sizeof one, &one), 0);
}

// Wants the processor most of the time, and anew every time it has let go of it.
void be_about(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(500);
    while (std::chrono::steady_clock::now() < until) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

long times_rested() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}
std::chrono::milliseconds worked() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::milliseconds(used.tv_sec * 1000 + used.tv_nsec / 1'000'000);
}

// How often one rests that works beside another on one processor.
long rests_of(void (*goes)()) {
  const int processor = ::sched_getcpu();
  const std::jthread other([processor](const std::stop_token& stop) {
    stay_on(processor);
    be_about(stop);
  });
  long rests = 0;
  std::jthread([&] {
    stay_on(processor);
    goes();
    const long before = times_rested();
    while (worked() < std::chrono::milliseconds(12))
      give_way();
    rests = times_rested() - before;
  }).join();
  return rests;
}

TEST(Background, work_on_an_idle_thread_rests_while_others_are_about) {
  EXPECT_GE(rests_of(go_to_idle), 1);
}

TEST(Background, work_on_an_ordinary_thread_never_does) {
  EXPECT_EQ(rests_of([] {}), 0);
}

}  // namespace
}  // namespace cc
