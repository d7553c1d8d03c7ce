// Which request ids were answered with what, so that a repeated request is answered as the first one was and does
// nothing. Kept for a bounded time (by the commands' own times) and up to a bounded number; but whatever their number
// is, none is forgotten within a shorter time, in which clients repeat what was not answered in time.
//
// The outcomes are rows of the table `answered`, in the order of answering. They are found by a map in memory, since
// an index on disk over random ids would write a page of its own for each request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/bytes.h"
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
  bool forgotten(std::uint64_t sequence, Wall answered, Wall now, const Options& options) const;
  void forget_before(Database& database, std::uint64_t sequence);

  boost::unordered_flat_map<Hash128, std::uint64_t, Hash128::Hasher> sequences_;  // of request id and actor
  std::uint64_t first_ = 1, last_ = 0;  // sequences in the table; first > last when it is empty
};

}  // namespace cc::state
