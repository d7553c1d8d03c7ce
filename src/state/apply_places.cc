// Environments, applications and clusters.
#include <fmt/format.h>

#include "state/applying.h"
#include "state/describe.h"

namespace cc::state {
namespace {

std::string describe(const std::string& description) {
  return json_text({{"description", description}});
}

struct StoredApplication {
  std::string department, owner, description;
  bool operator==(const StoredApplication&) const = default;
};

std::string describe(const StoredApplication& application) {
  return json_text(
      {{"department", application.department}, {"owner", application.owner}, {"description", application.description}});
}

// How many configs and drafts stand below a prefix of keys that ends in '/'.
struct Held {
  std::uint64_t configs = 0, drafts = 0;
};

Held held_below(Database& db, const std::string& prefix) {
  // '0' follows '/'.
  const std::string end = prefix.substr(0, prefix.size() - 1) + "0";
  Held held;
  Rows configs = db.ask("SELECT count(*) FROM config WHERE key >= ? AND key < ? AND deleted = 0", prefix, end);
  if (configs.next()) held.configs = configs.number(0);
  Rows drafts = db.ask("SELECT count(*) FROM draft WHERE key >= ? AND key < ?", prefix, end);
  if (drafts.next()) held.drafts = drafts.number(0);
  return held;
}

Result<> require_empty(const Held& held, std::string_view what, const std::string& name) {
  if (held.configs == 0 && held.drafts == 0) return {};
  return fail(Code::conflict,
              fmt::format("{} {} still holds {} config{} and {} draft{}: delete and discard them first", what, name,
                          held.configs, held.configs == 1 ? "" : "s", held.drafts, held.drafts == 1 ? "" : "s"),
              json_text({{"configs", held.configs}, {"drafts", held.drafts}}));
}

std::vector<std::string> environments(Database& db) {
  std::vector<std::string> names;
  Rows rows = db.ask("SELECT name FROM environment ORDER BY name");
  while (rows.next())
    names.push_back(rows.text(0));
  return names;
}

std::optional<std::string> environment_description(Database& db, const std::string& name) {
  Rows rows = db.ask("SELECT description FROM environment WHERE name = ?", name);
  if (!rows.next()) return std::nullopt;
  return rows.text(0);
}

std::optional<std::string> cluster_description(Database& db, const std::string& environment,
                                               const std::string& application, const std::string& name) {
  Rows rows = db.ask("SELECT description FROM cluster WHERE environment = ? AND application = ? AND name = ?",
                     environment, application, name);
  if (!rows.next()) return std::nullopt;
  return rows.text(0);
}

std::optional<StoredApplication> find_application(Database& db, const std::string& name) {
  Rows rows = db.ask("SELECT department, owner, description FROM application WHERE name = ?", name);
  if (!rows.next()) return std::nullopt;
  return StoredApplication{.department = rows.text(0), .owner = rows.text(1), .description = rows.text(2)};
}

// What was granted for a place that is gone; for its audit record, "" when nothing was. Else it would hold one day for
// what another team makes under the same name.
std::string describe_withdrawn(int grants, int keys) {
  boost::json::object withdrawn;
  if (grants != 0) withdrawn["removed_grants"] = grants;
  if (keys != 0) withdrawn["revoked_keys"] = keys;
  return withdrawn.empty() ? "" : json_text(withdrawn);
}

void make_application(Applying& at, const std::string& name) {
  const int made = at.db.run("INSERT OR IGNORE INTO application VALUES (?, '', '', '', ?, ?)", name, at.revision(),
                             at.command.time_ms());
  if (made != 0) at.audit_change("application.create", name, "", "{}");
}

}  // namespace

Result<> require_environment(Applying& at, const std::string& name) {
  if (at.db.ask("SELECT 1 FROM environment WHERE name = ?", name).next()) return {};
  const auto there_are = environments(at.db);
  return fail(Code::not_found,
              fmt::format("no environment \"{}\"; there are: {}", name,
                          there_are.empty() ? "none yet" : fmt::format("{}", fmt::join(there_are, ", "))));
}

void make_place(Applying& at, const std::string& environment, const std::string& application,
                const std::string& cluster) {
  if (at.db
          .ask("SELECT 1 FROM cluster WHERE environment = ? AND application = ? AND name = ?", environment, application,
               cluster)
          .next())
    return;
  make_application(at, application);
  at.db.run("INSERT INTO cluster VALUES (?, ?, ?, '', ?, ?)", environment, application, cluster, at.revision(),
            at.command.time_ms());
  at.audit_change("cluster.create", fmt::format("{}/{}/{}", environment, application, cluster), "", "{}");
}

Result<> apply(Applying& at, const log::PutEnvironment& what) {
  const auto before = environment_description(at.db, what.name());
  at.about(before && !what.create_only() ? "environment.update" : "environment.create", what.name());
  if (before && what.create_only())
    return fail(Code::already_exists, fmt::format("there is an environment {} already", what.name()));
  at.outcome.set_created(!before);
  const std::string description = what.has_description() ? what.description() : before.value_or("");
  if (before == description) {
    at.audit_unchanged();
    return {};
  }
  at.db.run(
      "INSERT INTO environment VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET description = "
      "excluded.description, "
      "revision = excluded.revision",
      what.name(), description, at.revision(), at.command.time_ms());
  at.audit_change(before ? describe(*before) : "", describe(description));
  return {};
}

Result<> apply(Applying& at, const log::DeleteEnvironment& what) {
  at.about("environment.delete", what.name());
  const auto before = environment_description(at.db, what.name());
  if (!before) return require_environment(at, what.name());
  TRYV(require_empty(held_below(at.db, what.name() + "/"), "environment", what.name()));
  at.db.run("DELETE FROM environment WHERE name = ?", what.name());
  at.db.run("DELETE FROM cluster WHERE environment = ?", what.name());
  at.db.run("UPDATE user SET revision = ? WHERE name IN (SELECT user FROM role_grant WHERE environment = ?)",
            at.revision(), what.name());
  const int grants = at.db.run("DELETE FROM role_grant WHERE environment = ?", what.name());
  const int keys = at.db.run("UPDATE access_key SET revoked = 1, revision = ? WHERE environment = ? AND revoked = 0",
                             at.revision(), what.name());
  at.tip.changes.identity = at.tip.changes.identity || grants + keys != 0;
  at.audit_change(describe(*before), describe_withdrawn(grants, keys));
  return {};
}

Result<> apply(Applying& at, const log::PutApplication& what) {
  const auto before = find_application(at.db, what.name());
  at.about(before && !what.create_only() ? "application.update" : "application.create", what.name());
  if (before && what.create_only())
    return fail(Code::already_exists, fmt::format("there is an application {} already", what.name()));
  at.outcome.set_created(!before);
  StoredApplication after = before.value_or(StoredApplication{});
  if (what.has_department()) after.department = what.department();
  if (what.has_owner()) after.owner = what.owner();
  if (what.has_description()) after.description = what.description();
  if (before == after) {
    at.audit_unchanged();
    return {};
  }
  at.db.run(
      "INSERT INTO application VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET department = "
      "excluded.department, owner = excluded.owner, description = excluded.description, revision = excluded.revision",
      what.name(), after.department, after.owner, after.description, at.revision(), at.command.time_ms());
  at.tip.changes.identity = true;  // its department decides who may what
  at.audit_change(before ? describe(*before) : "", describe(after));
  return {};
}

Result<> apply(Applying& at, const log::DeleteApplication& what) {
  at.about("application.delete", what.name());
  const auto before = find_application(at.db, what.name());
  if (!before) return fail(Code::not_found, fmt::format("no application {}", what.name()));
  Held held;
  for (const std::string& environment : environments(at.db)) {
    const Held here = held_below(at.db, fmt::format("{}/{}/", environment, what.name()));
    held.configs += here.configs;
    held.drafts += here.drafts;
  }
  TRYV(require_empty(held, "application", what.name()));
  at.db.run("DELETE FROM application WHERE name = ?", what.name());
  at.db.run("DELETE FROM cluster WHERE application = ?", what.name());
  at.db.run("UPDATE user SET revision = ? WHERE name IN (SELECT user FROM role_grant WHERE application = ?)",
            at.revision(), what.name());
  const int grants = at.db.run("DELETE FROM role_grant WHERE application = ?", what.name());
  const int keys = at.db.run("UPDATE access_key SET revoked = 1, revision = ? WHERE application = ? AND revoked = 0",
                             at.revision(), what.name());
  at.tip.changes.identity = true;
  at.audit_change(describe(*before), describe_withdrawn(grants, keys));
  return {};
}

Result<> apply(Applying& at, const log::PutCluster& what) {
  const auto before = cluster_description(at.db, what.environment(), what.application(), what.name());
  at.about(before && !what.create_only() ? "cluster.update" : "cluster.create",
           fmt::format("{}/{}/{}", what.environment(), what.application(), what.name()));
  if (before && what.create_only())
    return fail(Code::already_exists, fmt::format("there is a cluster {} already", at.target()));
  TRYV(require_environment(at, what.environment()));
  at.outcome.set_created(!before);
  const std::string description = what.has_description() ? what.description() : before.value_or("");
  if (before == description) {
    at.audit_unchanged();
    return {};
  }
  make_application(at, what.application());
  at.db.run(
      "INSERT INTO cluster VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (environment, application, name) DO UPDATE SET "
      "description = excluded.description, revision = excluded.revision",
      what.environment(), what.application(), what.name(), description, at.revision(), at.command.time_ms());
  at.audit_change(before ? describe(*before) : "", describe(description));
  return {};
}

Result<> apply(Applying& at, const log::DeleteCluster& what) {
  const std::string place = fmt::format("{}/{}/{}", what.environment(), what.application(), what.name());
  at.about("cluster.delete", place);
  const auto before = cluster_description(at.db, what.environment(), what.application(), what.name());
  if (!before) return fail(Code::not_found, fmt::format("no cluster {}", place));
  TRYV(require_empty(held_below(at.db, place + "/"), "cluster", place));
  at.db.run("DELETE FROM cluster WHERE environment = ? AND application = ? AND name = ?", what.environment(),
            what.application(), what.name());
  at.audit_change(describe(*before), "");
  return {};
}

}  // namespace cc::state
