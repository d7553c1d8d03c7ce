// Ends calls that block in a library which knows no deadlines: shuts their socket down when their time is over or when
// they are called off, which makes them fail at once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.h"

namespace cc::archive {

// Thread-safe.
class Watchdog {
 public:
  explicit Watchdog(const Clock& clock);
  ~Watchdog();

  // Watches a socket as long as it lives, which must not be longer than the socket.
  class Watch;

 private:
  struct Watched {
    int socket;
    Mono until;
  };
  std::uint64_t add(Watched watched);
  void remove(std::uint64_t number);
  void run(const std::stop_token& stop);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::uint64_t, Watched> watched_;  // guarded by mutex_
  std::uint64_t last_ = 0;                    // guarded by mutex_
  std::jthread thread_;
};

class Watchdog::Watch {
 public:
  Watch(Watchdog& owner, int socket, Mono until, std::stop_token called_off);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

 private:
  Watchdog& owner_;
  std::uint64_t number_;
  std::stop_callback<std::function<void()>> called_off_;
};

}  // namespace cc::archive
