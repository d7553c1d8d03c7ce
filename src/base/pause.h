// A pause that ends early for who asks the thread to stop.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/clock.h"

namespace cc {

inline void pause_for(std::chrono::milliseconds how_long, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, how_long, [] { return false; });
}

// The same until a time of the day. The system's clock may be set: it is looked at again now and then.
inline void pause_until(Wall at, const Clock& clock, const std::stop_token& stop) {
  constexpr std::chrono::milliseconds kLookAgain = std::chrono::seconds(20);
  for (Wall now = clock.wall(); now < at && !stop.stop_requested(); now = clock.wall())
    pause_for(std::min(std::chrono::duration_cast<std::chrono::milliseconds>(at - now), kLookAgain), stop);
}

}  // namespace cc
