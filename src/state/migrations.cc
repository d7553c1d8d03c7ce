#include "state/migrations.h"

#include <charconv>

#include <fmt/format.h>

#include "embedded/state_migrations.h"
#include "state/schema.h"

namespace cc::state {
namespace {

constexpr std::int64_t kApplicationId = 0x43437374;  // "CCst", in the header of the file

std::int64_t number_of(std::string_view file_name) {
  std::int64_t number = 0;
  std::from_chars(file_name.data(), file_name.data() + file_name.size(), number);
  return number;
}

}  // namespace

std::int64_t newest_schema() {
  return number_of(embedded::state_migrations.back().first);
}

Result<> migrate(Database& database, const Path& file) {
  const auto application = static_cast<std::int64_t>(database.number("PRAGMA application_id"));
  const auto version = static_cast<std::int64_t>(database.number("PRAGMA user_version"));
  const bool empty = database.number("SELECT count(*) FROM sqlite_master") == 0;
  if (empty ? application != 0 || version != 0 : application != kApplicationId) {
    return fail(Code::corruption, fmt::format("{} is not a state of config-center: move it away, or set DATA_DIR to "
                                              "another folder",
                                              file.string()));
  }
  if (version > newest_schema()) {
    return fail(Code::corruption,
                fmt::format("{} has schema {}, written by a newer version of config-center (this one knows {}): run "
                            "that version or a newer one, or restore a backup made by this one",
                            file.string(), version, newest_schema()));
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
