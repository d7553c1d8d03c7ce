#include "state/contents.h"

#include <fmt/format.h>

#include "base/background.h"
#include "state/connections.h"
#include "state/database.h"
#include "state/migrations.h"
#include "state/releases.h"
#include "state/tip.h"

namespace cc::state {
namespace {

Contents count(Database& database) {
  return {.schema = static_cast<std::int64_t>(database.number("PRAGMA user_version")),
          .position = read_position(database),
          .configs = database.number("SELECT count(*) FROM config WHERE deleted = 0"),
          .releases = database.number("SELECT count(*) FROM release"),
          .environments = database.number("SELECT count(*) FROM environment"),
          .applications = database.number("SELECT count(*) FROM application"),
          .drafts = database.number("SELECT count(*) FROM draft"),
          .users = database.number("SELECT count(*) FROM user"),
          .audit_records = database.number("SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM attempt)")};
}

}  // namespace

bool operator==(const Contents& a, const Contents& b) {
  return a.position.revision == b.position.revision && a.position.cluster_id == b.position.cluster_id &&
         a.configs == b.configs && a.releases == b.releases && a.environments == b.environments &&
         a.applications == b.applications && a.drafts == b.drafts && a.users == b.users &&
         a.audit_records == b.audit_records;
}

Result<Contents> contents_of(const Path& file) {
  return guarded(file, [&]() -> Result<Contents> {
    const auto database = open_reader(file);
    database->execute("BEGIN");  // one state, whatever is written meanwhile; ended by closing the connection
    return count(*database);
  });
}

Result<std::vector<ReleasePtr>> configs_in(const Path& file, const std::string& prefix) {
  return guarded(file, [&]() -> Result<std::vector<ReleasePtr>> {
    Database database(file, Database::Access::write);
    TRYV(migrate(database, file));
    std::vector<ReleasePtr> found;
    for (Rows rows =
             database.ask("SELECT c.key, " CC_RELEASE_COLUMNS " FROM config c JOIN release r ON r.id = c.release "
                          "WHERE c.deleted = 0 AND substr(c.key, 1, length(?1)) = ?1 ORDER BY c.key",
                          prefix);
         rows.next();) {
      found.push_back(read_release(rows, 1, rows.text(0)));
    }
    return found;
  });
}

Result<Contents> read_all_rows(const Path& file) {
  return guarded(file, [&]() -> Result<Contents> {
    Database database(file, Database::Access::write);
    TRYV(migrate(database, file));
    if (Rows rows = database.ask("PRAGMA integrity_check(1)"); !rows.next() || rows.view(0) != "ok")
      return fail(Code::corruption, "the state's file is damaged: " + rows.text(0));
    std::uint64_t read = 0;
    for (Rows rows = database.ask("SELECT c.key, " CC_RELEASE_COLUMNS " FROM release r "
                                  "JOIN config c ON c.number = r.config");
         rows.next();) {
      read_release(rows, 1, rows.text(0));  // holds the content against its checksum
      ++read;
      give_way();
    }
    const Contents contents = count(database);
    if (read != contents.releases) {
      return fail(Code::corruption,
                  fmt::format("{} of {} releases belong to no config", contents.releases - read, contents.releases));
    }
    return contents;
  });
}

}  // namespace cc::state
