// Slows down guessing: after so many wrong passwords for a user or from a network within `lock`, further tries are
// refused for `lock`. Kept per node, in memory, bounded. Thread-safe.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"

namespace cc::identity {

class Lockout {
 public:
  struct Options {
    unsigned failures_per_user = 5;
    unsigned failures_per_network = 50;  // network_of() the address
    std::chrono::milliseconds lock{std::chrono::minutes(10)};
    std::size_t remember_at_most = 10'000;
  };
  explicit Lockout(const Clock& clock) : Lockout(clock, Options{}) {}
  Lockout(const Clock& clock, Options options) : clock_(clock), options_(options) {}

  // exhausted, with details {"retry_after_seconds": N}, while locked.
  Result<> check(std::string_view user, std::string_view address);
  void failed(std::string_view user, std::string_view address);
  void succeeded(std::string_view user, std::string_view address);

 private:
  struct Entry {
    std::string name;
    unsigned failures = 0;
    Mono first{};
    Mono locked_until{};
  };
  Result<> check_one(const std::string& name);
  void count_one(const std::string& name, unsigned limit);

  const Clock& clock_;
  Options options_;
  std::mutex mutex_;
  std::list<Entry> entries_;                                             // guarded by mutex_; newest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_name_;  // guarded by mutex_
};

}  // namespace cc::identity
