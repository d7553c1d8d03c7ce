#include "state/answered.h"

#include <algorithm>

#include <fmt/format.h>
#include <sqlite3.h>

#include "proto/command.pb.h"

namespace cc::state {
namespace {

// Rows are removed so many at a time; until then they are merely not found any more.
constexpr std::uint64_t kForgetEvery = 64;

Hash128 hash_of(std::string_view request_id, std::string_view actor) {
  std::string both;
  both.reserve(request_id.size() + 1 + actor.size());
  both.append(request_id).append(1, '\n').append(actor);
  return hash128(both);
}

bool too_old(Wall answered, Wall now, const Options& options) {
  return answered + options.remember_requests < now;
}

}  // namespace

void Answered::read(Database& database) {
  sequences_.clear();
  first_ = 1;
  last_ = 0;
  Rows rows = database.ask("SELECT sequence, request_id, actor FROM answered ORDER BY sequence");
  while (rows.next()) {
    if (last_ == 0) first_ = rows.number(0);
    last_ = rows.number(0);
    sequences_[hash_of(rows.view(1), rows.view(2))] = last_;
  }
}

Result<std::optional<log::Outcome>> Answered::find(Database& database, const Options& options,
                                                   const log::Command& command, std::string_view subject) const {
  if (command.request_id().empty()) return std::nullopt;
  const auto found = sequences_.find(hash_of(command.request_id(), command.actor()));
  if (found == sequences_.end() || found->second + options.remember_requests_at_most <= last_) return std::nullopt;
  Rows rows = database.ask("SELECT subject, outcome, time FROM answered WHERE sequence = ?", found->second);
  if (!rows.next()) throw SQLite::Exception("the outcome of an earlier request is missing", SQLITE_CORRUPT);
  if (too_old(rows.time(2), wall(command.time_ms()), options)) return std::nullopt;
  if (rows.number(0) != crc32(subject)) {
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
                        std::string_view subject, const log::Outcome& outcome) {
  if (command.request_id().empty()) return;
  database.run("INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?)", ++last_, command.actor(), command.request_id(),
               crc32(subject), command.time_ms(), Blob{outcome.SerializeAsString()});
  sequences_[hash_of(command.request_id(), command.actor())] = last_;
  if (last_ % kForgetEvery != 0) return;

  std::uint64_t keep = last_ + 1;
  const std::uint64_t by_number = last_ - std::min(last_, options.remember_requests_at_most);
  Rows rows = database.ask("SELECT sequence, time FROM answered WHERE sequence > ? ORDER BY sequence", by_number);
  while (rows.next() && keep > last_) {
    if (!too_old(rows.time(1), wall(command.time_ms()), options)) keep = rows.number(0);
  }
  forget_before(database, keep);
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
