#include "state/answered.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/bytes.h"

namespace cc::state {

Result<std::optional<log::Outcome>> find_answered(Applying& at, const std::string& subject) {
  if (at.command.request_id().empty()) return std::nullopt;
  Rows rows = at.db.ask("SELECT subject, outcome FROM answered WHERE request_id = ? AND actor = ?",
                        at.command.request_id(), at.command.actor());
  if (!rows.next()) return std::nullopt;
  if (rows.number(0) != crc32(subject)) {
    return fail(Code::invalid_argument,
                fmt::format("request id {} was used before, for another request: give each request its own",
                            at.command.request_id()));
  }
  log::Outcome outcome;
  const std::string_view bytes = rows.view(1);
  if (!outcome.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw SQLite::Exception("the outcome of an earlier request cannot be read", SQLITE_CORRUPT);
  }
  return outcome;
}

void remember_answered(Applying& at, const std::string& subject, const log::Outcome& outcome) {
  if (at.command.request_id().empty()) return;
  AnsweredRange& kept = at.batch.answered;
  at.db.run("INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?)", ++kept.last, at.command.actor(), at.command.request_id(),
            crc32(subject), at.command.time_ms(), Blob{outcome.SerializeAsString()});
  if (kept.first == kept.last) kept.oldest = at.now();

  const auto too_many = [&] { return kept.last - kept.first + 1 > at.options.remember_requests_at_most; };
  const auto too_old = [&] { return kept.oldest + at.options.remember_requests < at.now(); };
  while (kept.first <= kept.last && (too_many() || too_old())) {
    at.db.run("DELETE FROM answered WHERE sequence = ?", kept.first);
    ++kept.first;
    Rows rows = at.db.ask("SELECT time FROM answered WHERE sequence = ?", kept.first);
    if (rows.next()) kept.oldest = rows.time(0);
  }
}

}  // namespace cc::state
