#include "archive/watchdog.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace cc::archive {

Watchdog::Watchdog(const Clock& clock) : clock_(clock), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Watchdog::~Watchdog() = default;

std::uint64_t Watchdog::add(Watched watched) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++last_;
    watched_.emplace(number, watched);
  }
  changed_.notify_all();
  return number;
}

void Watchdog::remove(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  watched_.erase(number);
}

void Watchdog::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const Mono now = clock_.now();
    Mono next = now + std::chrono::hours(1);
    for (auto& [number, watched] : watched_) {
      if (watched.until <= now) {
        ::shutdown(watched.socket, SHUT_RDWR);
        watched.until = Mono::max();
      }
      next = std::min(next, watched.until);
    }
    const std::uint64_t seen = last_;
    changed_.wait_for(lock, stop, next - now, [&] { return last_ != seen; });
  }
}

Watchdog::Watch::Watch(Watchdog& owner, int socket, Mono until, std::stop_token called_off)
    : owner_(owner),
      number_(owner.add({.socket = socket, .until = until})),
      called_off_(std::move(called_off), [socket] { ::shutdown(socket, SHUT_RDWR); }) {}

Watchdog::Watch::~Watch() {
  owner_.remove(number_);
}

}  // namespace cc::archive
