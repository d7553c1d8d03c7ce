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

// Wants the processor for a little, thousands of times a second.
void be_about(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
    while (std::chrono::steady_clock::now() < until) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

std::chrono::nanoseconds worked() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}
long times_rested() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

struct Work {
  double times_as_long = 0;  // as the processor was used for it
  long rests = 0;
};
// Of one who works beside another on one processor.
Work work_of(void (*goes)()) {
  const int processor = ::sched_getcpu();
  const std::jthread other([processor](const std::stop_token& stop) {
    stay_on(processor);
    be_about(stop);
  });
  Work work;
  std::jthread([&] {
    stay_on(processor);
    goes();
    const auto used = worked();
    const auto began = std::chrono::steady_clock::now();
    const long rests = times_rested();
    while (worked() - used < std::chrono::milliseconds(20))
      give_way();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    work = {.times_as_long = took / (worked() - used), .rests = times_rested() - rests};
  }).join();
  return work;
}

// Where the machine is so busy that it waits as long anyway, it need not rest.
TEST(Background, work_on_an_idle_thread_takes_its_time_while_others_are_about) {
  EXPECT_GE(work_of(go_to_idle).times_as_long, 4);
}

TEST(Background, work_on_an_ordinary_thread_never_rests) {
  EXPECT_EQ(work_of([] {}).rests, 0);
}

}  // namespace
}  // namespace cc
