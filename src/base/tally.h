// Counts by name. Only one thread adds, and takes the lock only when a name is seen for the first time; any thread
// samples. Names are never forgotten: they must be few.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace cc {

class Tally {
 public:
  void add(std::string_view name) {
    auto count = counts_.find(name);
    if (count == counts_.end()) {
      const std::lock_guard lock(mutex_);
      count = counts_.try_emplace(std::string(name)).first;
    }
    count->second.store(count->second.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // Adds what was counted to `counts`.
  void sample(std::map<std::string, std::uint64_t>& counts) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, count] : counts_)
      counts[name] += count.load(std::memory_order_relaxed);
  }

 private:
  mutable std::mutex mutex_;  // guards the shape of the map against samplers; the owner reads without it
  std::map<std::string, std::atomic<std::uint64_t>, std::less<>> counts_;
};

}  // namespace cc
