#include "base/background.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include <sched.h>
#include <time.h>

namespace cc {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kAtATime{5};  // of the processor, before it is asked whether to rest
// That somebody else is about shows in how often the thread had to leave the processor. On a quiet machine, beside a
// node with nothing to do, one of 2,000 such pieces of work was interrupted more often than this; beside a busy one
// most are.
constexpr long kUnnoticed = 2;
constexpr int kRemembered = 10;  // pieces of work, since not each of them shows it
// Meanwhile an eighth of the time of one processor is left to the work. What it waited anyway, for the processor or a
// disk, counts as rest.
constexpr int kTimesAsLong = 8;

struct Work {
  bool is_idle = false;
  nanoseconds used{0};  // of the processor
  long times_preempted = 0;
  steady_clock::time_point at;
  int pieces_with_others = 0;  // that they are remembered for
};
thread_local Work mine;  // up to when give_way() last looked

nanoseconds processor_used() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + nanoseconds(used.tv_nsec);
}
long times_preempted() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}
Work work_so_far() {
  return {.is_idle = true, .used = processor_used(), .times_preempted = times_preempted(), .at = steady_clock::now()};
}

}  // namespace

void go_to_background() {
  constexpr int kNice = 10;  // a ninth of the share of an ordinary thread
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

void go_to_idle() {
  const sched_param none{};
  ::sched_setscheduler(::gettid(), SCHED_IDLE, &none);
  mine = work_so_far();
}

void give_way() {
  if (!mine.is_idle) return;
  const nanoseconds worked = processor_used() - mine.used;
  if (worked < kAtATime) return;
  const bool others_show = times_preempted() - mine.times_preempted > kUnnoticed;
  const int pieces_with_others = others_show ? kRemembered : std::max(mine.pieces_with_others - 1, 0);
  if (pieces_with_others > 0) std::this_thread::sleep_until(mine.at + kTimesAsLong * worked);
  mine = work_so_far();
  mine.pieces_with_others = pieces_with_others;
}

}  // namespace cc
