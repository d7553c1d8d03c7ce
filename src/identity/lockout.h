// Slows down guessing: after so many wrong passwords for a user or from a network within `lock`, further tries are
// refused for `lock`. Kept per node, in memory, bounded; nodes that can hear each other share it through an Observer.
// Thread-safe.
#pragma once

#include <chrono>
#include <functional>
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

  // Is told what happens here, so that other nodes can know of it, and must not ask back. `who` is a user or a network
  // as a hash: people also type their password where their name belongs.
  struct Observer {
    std::function<void(const std::string& who, unsigned limit)> failed;  // not by lock()
    std::function<void(const std::string& who)> succeeded, locked;
  };
  void observe(Observer observer);  // once, before anything else

  // exhausted, with details {"retry_after_seconds": N}, while locked.
  Result<> check(std::string_view user, std::string_view address);
  void failed(std::string_view user, std::string_view address);
  void succeeded(std::string_view user, std::string_view address);

  // Another node has locked it, for so much longer.
  void lock(const std::string& who, std::chrono::milliseconds left);

 private:
  struct Entry {
    std::string who;
    unsigned failures = 0;
    Mono first{};
    Mono locked_until{};
  };
  Result<> check_one(const std::string& who);
  void count_one(const std::string& who, unsigned limit);
  Entry& entry_of(const std::string& who);
  void forget_oldest();

  const Clock& clock_;
  Options options_;
  Observer observer_;
  std::mutex mutex_;
  std::list<Entry> entries_;                                            // guarded by mutex_; newest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_who_;  // guarded by mutex_
};

}  // namespace cc::identity
