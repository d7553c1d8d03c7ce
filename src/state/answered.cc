#include "state/answered.h"

#include <algorithm>

#include <fmt/format.h>
#include <sqlite3.h>

#include "proto/command.pb.h"

namespace cc::state {
namespace {

// Rows are removed after so many have been added; until then they are merely not found any more. After a burst there is
// much to remove at once: not more than this, which is faster than any can be added.
constexpr std::uint64_t kForgetEvery = 64;
constexpr std::uint64_t kForgetAtMost = 1024;
constexpr std::chrono::milliseconds kLongestStep{1000};

Hash128 hash_of(std::string_view request_id, std::string_view actor) {
  std::string both;
  both.reserve(request_id.size() + 1 + actor.size());
  both.append(request_id).append(1, '\n').append(actor);
  return hash128(both);
}

}  // namespace

void Answered::read(Database& database) {
  sequences_.clear();
  first_ = 1;
  last_ = 0;
  last_time_ = {};
  last_clock_ = Clock(0);
  {
    Rows rows = database.ask("SELECT sequence, request_id, actor FROM answered ORDER BY sequence");
    while (rows.next()) {
      if (last_ == 0) first_ = rows.number(0);
      last_ = rows.number(0);
      sequences_[hash_of(rows.view(1), rows.view(2))] = last_;
    }
  }
  if (Rows rows = database.ask("SELECT time, clock FROM answered ORDER BY sequence DESC LIMIT 1"); rows.next()) {
    last_time_ = rows.time(0);
    last_clock_ = Clock(rows.number(1));
  }
}

Result<std::optional<log::Outcome>> Answered::find(Database& database, const Options& options,
                                                   const log::Command& command, std::uint64_t fingerprint) const {
  if (command.request_id().empty()) return std::nullopt;
  const auto found = sequences_.find(hash_of(command.request_id(), command.actor()));
  if (found == sequences_.end()) return std::nullopt;
  Rows rows = database.ask("SELECT subject, outcome, clock FROM answered WHERE sequence = ?", found->second);
  if (!rows.next()) throw SQLite::Exception("the outcome of an earlier request is missing", SQLITE_CORRUPT);
  if (forgotten(found->second, Clock(rows.number(2)), clock_at(command), options)) return std::nullopt;
  if (rows.number(0) != fingerprint) {
    return fail(Code::invalid_argument,
                fmt::format("request id {} was used before, for another request: give each request its own",
                            command.request_id()));
  }
  log::Outcome outcome;
  const std::string_view bytes = rows.view(1);
  if (!outcome.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw SQLite::Exception("the outcome of an earlier request cannot be read", SQLITE_CORRUPT);
  }
  return outcome;
}

void Answered::remember(Database& database, const Options& options, const log::Command& command,
                        std::uint64_t fingerprint, const log::Outcome& outcome) {
  if (command.request_id().empty()) return;
  last_clock_ = clock_at(command);
  last_time_ = wall(command.time_ms());
  database.run("INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?, ?)", ++last_, command.actor(), command.request_id(),
               fingerprint, command.time_ms(), Blob{outcome.SerializeAsString()}, last_clock_.count());
  sequences_[hash_of(command.request_id(), command.actor())] = last_;
  if (last_ % kForgetEvery != 0) return;

  std::uint64_t keep = first_;
  {
    Rows rows = database.ask("SELECT sequence, clock FROM answered ORDER BY sequence LIMIT ?", kForgetAtMost);
    while (rows.next() && forgotten(rows.number(0), Clock(rows.number(1)), last_clock_, options))
      keep = rows.number(0) + 1;
  }
  forget_before(database, keep);
}

Answered::Clock Answered::clock_at(const log::Command& command) const {
  if (last_ < first_) return last_clock_;
  return last_clock_ + std::clamp(wall(command.time_ms()) - last_time_, Clock(0), kLongestStep);
}

bool Answered::forgotten(std::uint64_t sequence, Clock answered, Clock now, const Options& options) const {
  if (answered + options.remember_requests < now) return true;
  const bool too_many = sequence + options.remember_requests_at_most <= last_;
  return too_many && answered + options.remember_requests_at_least < now;
}

void Answered::forget_before(Database& database, std::uint64_t sequence) {
  if (sequence <= first_) return;
  {
    Rows rows =
        database.ask("SELECT sequence, request_id, actor FROM answered WHERE sequence < ? ORDER BY sequence", sequence);
    while (rows.next()) {
      const auto known = sequences_.find(hash_of(rows.view(1), rows.view(2)));
      if (known != sequences_.end() && known->second == rows.number(0)) sequences_.erase(known);
    }
  }
  database.run("DELETE FROM answered WHERE sequence < ?", sequence);
  first_ = sequence;
}

}  // namespace cc::state
