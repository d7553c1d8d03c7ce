// Work that may wait: it gets the processor when nothing that somebody waits for wants it, and little otherwise.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace cc {

// The calling thread from now on. It cannot be undone without privileges: for threads that do nothing else.
inline void go_to_background() {
  constexpr int kNice = 10;  // a ninth of the share of an ordinary thread
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

}  // namespace cc
