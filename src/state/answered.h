// Which request ids were answered with what, so that a repeated request is answered as the first one was and does
// nothing. Kept for a bounded time and up to a bounded number; but whatever their number is, none is forgotten within a
// shorter time, in which clients repeat what was not answered in time.
//
// The time is that of a clock of the log's own. It goes by the times of the commands, but what lies between two of them
// counts as a second at most, and a step back as nothing: the clock of one leader is not that of the next and may jump,
// and by it a request of a moment ago would be forgotten, and done again.
//
// The outcomes are rows of the table `answered`, in the order of answering. They are found by a map in memory, since
// an index on disk over random ids would write a page of its own for each request.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "state/database.h"
#include "state/state.h"

namespace cc::log {
class Command;
class Outcome;
}  // namespace cc::log

namespace cc::state {

class Answered {
 public:
  // Forgets everything, and takes what stands in the file.
  void read(Database& database);

  // The outcome of an earlier request under this id by this actor, as it was. invalid_argument when that request was
  // about something else: answering it with the earlier outcome would acknowledge a change that was never made.
  // `fingerprint` is fingerprint_of() the command.
  Result<std::optional<log::Outcome>> find(Database& database, const Options& options, const log::Command& command,
                                           std::uint64_t fingerprint) const;
  // requires: find() has found nothing
  void remember(Database& database, const Options& options, const log::Command& command, std::uint64_t fingerprint,
                const log::Outcome& outcome);

 private:
  using Clock = std::chrono::milliseconds;  // since the first request

  Clock clock_at(const log::Command& command) const;
  bool forgotten(std::uint64_t sequence, Clock answered, Clock now, const Options& options) const;
  void forget_before(Database& database, std::uint64_t sequence);

  boost::unordered_flat_map<Hash128, std::uint64_t, Hash128::Hasher> sequences_;  // of request id and actor
  std::uint64_t first_ = 1, last_ = 0;  // sequences in the table; first > last when it is empty
  Wall last_time_{};                    // of the newest command in the table
  Clock last_clock_{0};                 // when that was
};

}  // namespace cc::state
