// The servers of the archive as this node sees them: which one is the primary, and how far each of them is. Looked at
// now and then by a thread, and by whoever needs to know at once.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "archive/pool.h"
#include "archive/schema.h"
#include "base/clock.h"

namespace cc::archive {

struct ServerState {
  bool answers = false;
  bool primary = false;
  std::optional<Position> position;  // none: no archive was begun there
  std::string trouble;               // why it does not answer; "" before it was looked at
};

// Thread-safe.
class Servers {
 public:
  // `looked` runs on the thread that looks, each time that it has seen all of them.
  Servers(Pool& pool, const Clock& clock, std::function<void()> looked);
  ~Servers();

  std::vector<ServerState> all() const;

  // Looks now, at the last known primary first. unavailable when no server is one.
  Result<std::size_t> find_primary(const std::stop_token& stop);

  // In which order to ask: replicas that have everything up to `needed`, in turn, then the primary if that has it.
  std::vector<std::size_t> readers(const state::FeedPosition& needed);

  // It is not asked again until it has been looked at.
  void failed(std::size_t server, const Error& why);

  // Looks now.
  ServerState look(std::size_t server, const std::stop_token& stop);

 private:
  void run(const std::stop_token& stop);

  Pool& pool_;
  const Clock& clock_;
  std::function<void()> looked_;
  mutable std::mutex mutex_;
  std::vector<ServerState> states_;  // guarded by mutex_
  std::size_t turn_ = 0;             // guarded by mutex_
  std::jthread thread_;
};

}  // namespace cc::archive
