// The edge copy of what is published, in Redis: a projection of the state. A job of the leader's.
//
// It reads what follows the position that stands in Redis, and writes it together with the new position in one
// transaction that is done only while the position is the expected one: so each change is written once, in order,
// whoever believes that it leads. Nobody waits for it, and nothing but its status tells of its troubles: it tries
// again, and goes on from whatever it then finds.
//
//   no position            wiped, restarted without its data, new: filled (filling.h)
//   another cluster's      refused; nothing is written
//   ahead of this state, or of another history (the nodes were restored from a backup): filled
//   behind                 written from there on, also when it is further behind than before: a replica was promoted
//                          that lacked the last writes
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "base/bell.h"
#include "base/clock.h"
#include "edge/keys.h"
#include "edge/position.h"
#include "edge/primary.h"
#include "edge/status.h"
#include "state/feed.h"

namespace cc::edge {

class Copy {
 public:
  // What it is a copy of.
  struct Source {
    Path state_file;
    Bell& committed;  // rings when the file has something new
    // Waits until the file has everything that any node may have written to Redis; false when that cannot be said now.
    std::function<bool()> catch_up;
  };
  Copy(Servers servers, Keys keys, Source source, Status& status, const Clock& clock);

  // Until it is asked to stop; soon then. A greater term than before each time.
  void run(const std::stop_token& stop, std::uint64_t term);

 private:
  // Until something is wrong with the connection, or with what was found.
  Result<> follow(const std::stop_token& stop, std::uint64_t term);
  Result<> await_cluster(const std::stop_token& stop);
  Result<> look(Redis& redis, const std::stop_token& stop, std::uint64_t term);
  Result<> accept(Redis& redis, const MaybePosition& found, const std::stop_token& stop, std::uint64_t term);
  Result<bool> is_of_this_history(const Position& found, const Deadline& until);
  // Whether there was something to write; then at_ is where that ended.
  Result<bool> write_next(Redis& redis, const std::stop_token& stop, std::uint64_t term);
  Result<bool> write(Redis& redis, const state::FeedBatch& batch, const Position& position);
  void tell_written(const state::FeedBatch& batch);

  Servers servers_;
  Keys keys_;
  Source source_;
  Status& status_;
  const Clock& clock_;
  state::Feed feed_;
  Position at_;                      // that stands in Redis, as far as this knows
  std::uint64_t newest_ = 0;         // release that there was at the last batch
  std::optional<Position> reached_;  // the furthest that this process has written or found
};

}  // namespace cc::edge
