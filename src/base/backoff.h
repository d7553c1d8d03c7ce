// How long to leave a server alone that failed: longer each time, up to two seconds, and never just as long as others
// do.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>
#include <stop_token>

#include "base/pause.h"

namespace cc {

class Backoff {
 public:
  void reset() { next_ = kFirst; }
  // Returns early when it is asked to stop.
  void wait(const std::stop_token& stop) {
    const auto half = next_ / 2;
    const std::chrono::milliseconds pause = half + half * random_() / decltype(random_)::max();
    next_ = std::min(2 * next_, kLast);
    pause_for(pause, stop);
  }

 private:
  static constexpr std::chrono::milliseconds kFirst{100}, kLast{2000};
  std::chrono::milliseconds next_ = kFirst;
  std::minstd_rand random_{std::random_device()()};
};

}  // namespace cc
