// Wakes threads that wait for something to happen; what happened they look up themselves. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace cc {

class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      ++rings_;
    }
    rang_.notify_all();
  }

  // How often it has rung.
  std::uint64_t rings() const {
    const std::lock_guard lock(mutex_);
    return rings_;
  }

  // Until it has rung more often than that, for as long at most, and not longer than nobody asks to stop. Returns how
  // often it has rung, which is what to wait with the next time: so no ring is missed.
  std::uint64_t wait(std::uint64_t heard, std::chrono::milliseconds at_most, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    rang_.wait_for(lock, stop, at_most, [&] { return rings_ > heard; });
    return rings_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any rang_;
  std::uint64_t rings_ = 0;  // guarded by mutex_
};

}  // namespace cc
