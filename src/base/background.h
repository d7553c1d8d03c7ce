// Work that may wait: it gets the processor when nothing that somebody waits for wants it, and little otherwise.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <sched.h>

namespace cc {

// The calling thread from now on. It cannot be undone without privileges: for threads that do nothing else.
inline void go_to_background() {
  constexpr int kNice = 10;  // a ninth of the share of an ordinary thread
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

// The same, for what may wait for as long as others have something to do: it gets what nobody else wants.
inline void go_to_idle() {
  const sched_param none{};
  ::sched_setscheduler(::gettid(), SCHED_IDLE, &none);
}

}  // namespace cc
