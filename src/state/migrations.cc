#include "state/migrations.h"

#include <charconv>

#include <fmt/format.h>

#include "embedded/state_migrations.h"

namespace cc::state {
namespace {

constexpr std::int64_t kApplicationId = 0x43437374;  // "CCst", in the header of the file

std::int64_t number_of(std::string_view file_name) {
  std::int64_t number = 0;
  std::from_chars(file_name.data(), file_name.data() + file_name.size(), number);
  return number;
}

std::int64_t newest_step() {
  return number_of(embedded::state_migrations.back().first);
}

template <std::size_t N>
std::int64_t value_of(Database& database, const char (&question)[N]) {
  Rows rows = database.ask(question);
  return rows.next() ? rows.integer(0) : 0;
}

}  // namespace

Result<> migrate(Database& database, const Path& file) {
  const std::int64_t application = value_of(database, "PRAGMA application_id");
  const std::int64_t version = value_of(database, "PRAGMA user_version");
  const bool empty = value_of(database, "SELECT count(*) FROM sqlite_master") == 0;
  if (empty ? application != 0 || version != 0 : application != kApplicationId) {
    return fail(Code::corruption, fmt::format("{} is not a state of config-center: move it away, or set DATA_DIR to "
                                              "another folder",
                                              file.string()));
  }
  if (version > newest_step()) {
    return fail(Code::corruption,
                fmt::format("{} has schema {}, written by a newer version of config-center (this one knows {}): run "
                            "that version or a newer one, or restore a backup made by this one",
                            file.string(), version, newest_step()));
  }
  for (const auto& [name, sql] : embedded::state_migrations) {
    const std::int64_t number = number_of(name);
    if (number <= version) continue;
    database.execute("BEGIN IMMEDIATE");
    try {
      database.execute(std::string(sql));
      database.execute(
          fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT", kApplicationId, number));
    } catch (const SQLite::Exception&) {
      if (database.in_transaction()) database.execute("ROLLBACK");
      throw;
    }
  }
  return {};
}

}  // namespace cc::state
