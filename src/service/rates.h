// How often somebody may ask: so many requests a second on average, and two seconds' worth at once. What other nodes
// have let through counts, too, as soon as it is known.
//
// Whoever asks is found once, when a session is opened; from then on a request costs one atomic number and no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"

namespace cc::service {

// Of one user or one address, shared by all I/O threads of the node. Thread-safe, without locks.
class Rate {
 public:
  Rate(std::uint64_t per_second, std::string_view setting) : per_second_(per_second), setting_(setting) {}

  // exhausted, with details {"retry_after_seconds": N}, when there were too many lately. What is refused does not
  // count.
  Result<> admit(Mono now);

  // Nothing of what was asked is held against anybody any more.
  bool is_idle(Mono now) const;

  // For who exchanges with other nodes: how many were admitted since the last call, and how many elsewhere since then.
  std::uint64_t take_admitted() { return admitted_.exchange(0, std::memory_order_relaxed); }
  void add_of_others(std::uint64_t times, Mono since);

 private:
  std::int64_t interval() const { return 1'000'000'000 / static_cast<std::int64_t>(per_second_); }

  std::uint64_t per_second_;
  std::string_view setting_;
  // When everything that was admitted would be done at the average rate, in ns of Mono: the further ahead of now, the
  // more was asked at once.
  std::atomic<std::int64_t> done_at_{0};
  std::atomic<std::uint64_t> admitted_{0};
};
using RatePtr = std::shared_ptr<Rate>;

// Those of all who ask. Thread-safe.
class Rates {
 public:
  struct Limits {
    std::uint64_t per_user = 0, per_address = 0;  // requests a second; 0: unlimited
  };
  Rates(Limits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

  RatePtr of_user(std::string_view name);  // null: unlimited
  RatePtr of_address(std::string_view address);

  // Everyone who has asked lately.
  void for_each(const std::function<void(const std::string& name, Rate& rate)>& each);
  // Other nodes have let so many requests of the same through since then.
  void admitted_elsewhere(const std::string& name, std::uint64_t times, Mono since);

 private:
  RatePtr find(std::string name, std::uint64_t per_second, std::string_view setting);

  Limits limits_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, RatePtr> rates_;  // guarded by mutex_
  std::size_t forget_at_ = 1024;                    // guarded by mutex_
};

}  // namespace cc::service
