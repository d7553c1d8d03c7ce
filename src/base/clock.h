// Time, handed in, so that tests decide what time it is. Nothing else in src/ asks the system for it; how long
// something took may be measured with std::chrono::steady_clock.
#pragma once

#include <atomic>
#include <chrono>

namespace cc {

using Mono = std::chrono::steady_clock::time_point;             // deadlines
using Wall = std::chrono::sys_time<std::chrono::milliseconds>;  // history, audit, people

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Mono now() const = 0;
  virtual Wall wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  Mono now() const override;
  Wall wall() const override;
};

// Stands still until told otherwise. Starts at 2026-01-01T00:00:00Z.
class ManualClock final : public Clock {
 public:
  Mono now() const override;
  Wall wall() const override;
  void advance(std::chrono::milliseconds by);

 private:
  std::atomic<std::int64_t> elapsed_ms_{0};
};

}  // namespace cc
