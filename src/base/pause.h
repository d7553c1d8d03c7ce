// A pause that ends early for who asks the thread to stop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace cc {

inline void pause_for(std::chrono::milliseconds how_long, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, how_long, [] { return false; });
}

}  // namespace cc
