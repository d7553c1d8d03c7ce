#include "archive/schema.h"

#include <fmt/format.h>

#include "base/text.h"
#include "embedded/archive_migrations.h"

namespace cc::archive {
namespace {

std::uint64_t number_of(std::string_view file) {
  return parse_uint(file.substr(0, file.find('_')), "the number of a migration").value();
}

}  // namespace

Result<> migrate(Connection& connection) {
  const std::uint64_t newest = number_of(embedded::archive_migrations.back().first);
  const auto version = [&]() -> std::uint64_t {
    if (connection.run("SELECT to_regclass('config_center.schema_version') IS NOT NULL")[0][0].as<bool>())
      return connection.run("SELECT version FROM config_center.schema_version")[0][0].as<std::uint64_t>();
    return 0;
  };
  if (version() == newest) return {};
  connection.begin();
  connection.run("SELECT pg_advisory_xact_lock(hashtext('config-center archive'))");
  const std::uint64_t found = version();  // another node may have been faster
  if (found > newest) {
    return fail(Code::unavailable,
                fmt::format("the archive has version {} of its schema, and this program knows {}: install the version "
                            "of config-center that wrote it",
                            found, newest));
  }
  if (found == 0) {
    connection.run("CREATE SCHEMA IF NOT EXISTS config_center");
    connection.run("CREATE TABLE config_center.schema_version (version bigint NOT NULL)");
    connection.run("INSERT INTO config_center.schema_version VALUES (0)");
  }
  for (const auto& [name, sql] : embedded::archive_migrations) {
    if (number_of(name) > found) connection.run(std::string(sql));
  }
  connection.run(fmt::format("UPDATE config_center.schema_version SET version = {}", newest));
  connection.commit();
  return {};
}

std::optional<Position> read_position(Connection& connection) {
  if (!connection.run("SELECT to_regclass('config_center.position') IS NOT NULL")[0][0].as<bool>()) return std::nullopt;
  const auto rows =
      connection.run("SELECT cluster_id, release, audit, release_written, audit_written, revision FROM position");
  if (rows.empty()) return std::nullopt;
  const auto number = [&](int column) { return rows[0][column].as<std::uint64_t>(); };
  return Position{.cluster_id = rows[0][0].as<std::string>(),
                  .at = {.release = number(1), .audit = number(2)},
                  .written = {.release = number(3), .audit = number(4)},
                  .revision = number(5)};
}

}  // namespace cc::archive
