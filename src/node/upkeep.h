// What a node does for its own folder over the years: its state keeps small and quick to ask, and what crashes and
// restores have left goes. While the node runs or without it; by the clock, or when somebody says so.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "node/settings.h"
#include "state/upkeep.h"

namespace cc::node {

struct Leftover {
  Path path;
  std::uint64_t bytes = 0;
  std::string why;  // it goes
};
// Temporary files of a backup or a restore that was cut off more than a day ago; data that a restore has set
// aside longer than maintenance.keep ago.
std::vector<Leftover> leftovers(const Settings& settings, Wall now);

struct Upkept {
  state::Room before, after;  // of the state's file
  std::vector<Leftover> removed;
};
// not_found when there is no state.
Result<Upkept> keep_up(const Settings& settings, Wall now, const std::stop_token& stop);
// What it would do.
Result<Upkept> look_at(const Settings& settings, Wall now);

// By maintenance.schedule, on every node.
class Upkeep {
 public:
  Upkeep(const Settings& settings, const Clock& clock) : settings_(settings), clock_(clock) {}

  // Until it is asked to stop. What was missed while the node did not run is left out until the next time.
  void run(const std::stop_token& stop);

  // Since the node's start. Any thread.
  struct Status {
    std::optional<Wall> success;  // the last
    std::uint64_t successes = 0, failures = 0;
  };
  Status status() const;

 private:
  const Settings& settings_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Status status_;  // guarded by mutex_
};

}  // namespace cc::node
