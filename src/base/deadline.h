// Until when work may go on: a point in time, and only while nobody has called it off. Handed down to whatever takes
// long, which asks now and then whether it has passed. A value; thread-safe.
#pragma once

#include <chrono>
#include <stop_token>

#include "base/clock.h"

namespace cc {

class Deadline {
 public:
  Deadline() = default;  // never passes
  // `clock` outlives it.
  Deadline(const Clock& clock, Mono at, std::stop_token called_off = {});

  bool passed() const;
  // How long to wait for something at most: zero when it has passed, a day when it never does.
  std::chrono::milliseconds left() const;

 private:
  const Clock* clock_ = nullptr;
  Mono at_ = Mono::max();
  std::stop_token called_off_;
};

}  // namespace cc
