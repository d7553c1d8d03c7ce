// Looks at the edge copy every two seconds, on each node, so that each can tell how it is: also those that do not write
// it, and while nobody does. Reads only. Has a thread of its own.
#pragma once

#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "edge/keys.h"
#include "edge/position.h"
#include "edge/primary.h"
#include "edge/status.h"
#include "state/feed.h"

namespace cc::edge {

class Watcher {
 public:
  // Begins at once. What is given by reference outlives it.
  Watcher(Servers servers, Keys keys, const Path& state_file, Status& status, const Clock& clock);
  ~Watcher();  // stops soon, and joins

 private:
  void run(const std::stop_token& stop);
  Result<> look(const std::stop_token& stop);
  Result<MaybePosition> look_at_redis(const std::stop_token& stop);
  Result<std::chrono::milliseconds> lag_behind(const Position& state, const Deadline& until);
  void tell_endpoints(const std::string& trouble);

  Servers servers_;
  Keys keys_;
  Status& status_;
  const Clock& clock_;
  state::Feed feed_;
  std::optional<Found> primary_;
  std::string address_;  // of the primary, the last that was known
  Position seen_;        // the last that was known
  Wall nothing_since_;   // there is no whole copy
  std::jthread thread_;
};

}  // namespace cc::edge
