#include "archive/schema.h"

#include <fmt/format.h>

#include "base/text.h"
#include "embedded/archive_migrations.h"

namespace cc::archive {
namespace {

std::uint64_t number_of(std::string_view file) {
  return parse_uint(file.substr(0, file.find('_')), "the number of a migration").value();
}

std::uint64_t newest_known() {
  return number_of(embedded::archive_migrations.back().first);
}

}  // namespace

Result<std::uint64_t> schema_version(Connection& connection) {
  if (!connection.run("SELECT to_regclass('config_center.schema_version') IS NOT NULL")[0][0].as<bool>()) return 0;
  const auto found = connection.run("SELECT version FROM config_center.schema_version")[0][0].as<std::uint64_t>();
  if (found <= newest_known()) return found;
  return fail(Code::unavailable,
              fmt::format("the archive has version {} of its schema, and this program knows {}: install the version of "
                          "config-center that wrote it",
                          found, newest_known()));
}

Result<> migrate(Connection& connection) {
  TRY(const std::uint64_t before, schema_version(connection));
  if (before == newest_known()) return {};
  connection.begin();
  connection.run("SELECT pg_advisory_xact_lock(hashtext('config-center archive'))");
  TRY(const std::uint64_t found, schema_version(connection));  // another node may have been faster
  if (found == 0) {
    connection.run("CREATE SCHEMA IF NOT EXISTS config_center");
    connection.run("CREATE TABLE config_center.schema_version (version bigint NOT NULL)");
    connection.run("INSERT INTO config_center.schema_version VALUES (0)");
  }
  for (const auto& [name, sql] : embedded::archive_migrations) {
    if (number_of(name) > found) connection.run(std::string(sql));
  }
  connection.run(fmt::format("UPDATE config_center.schema_version SET version = {}", newest_known()));
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
