#include "state/restoring.h"

#include <algorithm>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/text.h"
#include "state/applying.h"
#include "state/connections.h"
#include "state/describe.h"
#include "state/migrations.h"
#include "state/releases.h"
#include "state/tip.h"

namespace cc::state {
namespace {

// Nobody has seen numbers that are so much higher.
constexpr std::uint64_t kFarAbove = 1'000'000'000;

// As a client sees it, who has seen nothing that is not in the state.
Since nothing_since(const Tip& tip) {
  return {.cluster_id = tip.position.cluster_id,
          .from = tip.position.revision,
          .applied = tip.position.applied,
          .revision = tip.position.revision,
          .last_release = tip.last_release,
          .last_audit = tip.last_audit};
}

Since unknown(Database& database, const Tip& tip, Wall made) {
  Since since{.cluster_id = tip.position.cluster_id,
              .from = tip.position.revision,
              .found = made,
              .applied = tip.position.applied,
              .revision = tip.position.revision + kFarAbove,
              .last_release = tip.last_release + kFarAbove,
              .last_audit = tip.last_audit + kFarAbove};
  for (Rows rows = database.ask("SELECT key, version FROM config WHERE deleted = 0 ORDER BY key"); rows.next();)
    since.configs.push_back({.key = rows.text(0), .version = rows.number(1)});
  return since;
}

Release newest_of(Applying& at, const std::string& key, std::uint64_t config) {
  Rows rows = at.db.ask("SELECT " CC_RELEASE_COLUMNS
                        " FROM release r WHERE r.config = ? AND r.deleted = 0 ORDER BY r.version DESC LIMIT 1",
                        config);
  if (!rows.next()) throw SQLite::Exception("there is no release of " + key, SQLITE_CORRUPT);
  return *read_release(rows, 0, key);
}

// The config as it is in the state, for those who have seen it as `seen` says. What is not there comes as a tombstone:
// also when that is what was seen last, since the ids of what was seen must not be given out again.
void bring_back(Applying& at, const Since::Config& seen, const std::string& comment) {
  auto current = find_current(at, seen.key);
  if (current) current->version = std::max(current->version, seen.version);
  Release release;
  if (published(current)) {
    release = newest_of(at, seen.key, current->number);
  } else {
    release.key_text = seen.key;
    release.key = ConfigKey::of(parts_of(seen.key));
    release.deleted = true;
  }
  release.comment = comment;
  release.rolled_back_from.clear();
  const bool unknown_here = !current;
  add_release(at, current, std::move(release));
  if (unknown_here) {  // the tombstone of what did not exist yet has the version that it had
    at.db.run("UPDATE release SET version = ? WHERE id = ?", seen.version, at.tip.last_release);
    at.db.run("UPDATE config SET version = ? WHERE key = ?", seen.version, seen.key);
  }
  at.tip.changes.events.clear();  // nobody is told of them, and they hold all contents
  at.outcome.clear_published();
}

void restore(Database& database, Tip& tip, const Restoring& how, const Since& since) {
  log::Command command;
  command.set_actor("restore");  // no user of the cluster, and the same on all nodes
  command.set_time_ms(milliseconds(since.found));
  const Options options;
  Applying at(database, tip, options, command);
  tip.position.revision = since.revision;
  tip.last_release = since.last_release;
  tip.last_audit = since.last_audit;
  at.about("cluster.restore", how.what);
  const std::string comment = "restored: " + how.what;
  for (const Since::Config& seen : since.configs)
    bring_back(at, seen, comment);
  database.run("UPDATE user SET token_epoch = ?", at.revision());
  at.audit_change("", json_text({{"from_revision", since.from}, {"configs", since.configs.size()}}));
}

}  // namespace

Result<Since> changed_since(const Path& file, const Position& earlier, Wall now) {
  return guarded(file, [&]() -> Result<Since> {
    const auto database = open_reader(file);
    database->execute("BEGIN");  // one state, whatever is written meanwhile; ended by closing the connection
    const Position position = read_position(*database);
    if (position.cluster_id != earlier.cluster_id) {
      return fail(Code::conflict, fmt::format("{} is of another cluster: {}, not {}", file.string(),
                                              position.cluster_id, earlier.cluster_id));
    }
    if (position.revision < earlier.revision) {
      return fail(Code::conflict, fmt::format("{} is older: it is at revision {}, not yet at {}", file.string(),
                                              position.revision, earlier.revision));
    }
    const Tip tip = read_tip(*database);
    Since since = nothing_since(tip);
    since.from = earlier.revision;
    since.found = now;
    for (Rows rows = database->ask("SELECT c.key, c.version, c.deleted, r.author, r.time FROM config c "
                                   "JOIN release r ON r.id = c.release WHERE r.revision > ? ORDER BY c.key",
                                   earlier.revision);
         rows.next();) {
      since.configs.push_back({.key = rows.text(0),
                               .version = rows.number(1),
                               .deleted = rows.flag(2),
                               .author = rows.text(3),
                               .time = rows.time(4)});
    }
    for (Rows rows = database->ask("SELECT action, target, actor, time FROM audit WHERE revision > ? "
                                   "AND action NOT LIKE 'config.%' ORDER BY id",
                                   earlier.revision);
         rows.next();) {
      since.others.push_back(
          {.action = rows.text(0), .target = rows.text(1), .actor = rows.text(2), .time = rows.time(3)});
    }
    return since;
  });
}

Result<Position> restore_state(const Path& file, const Restoring& how) {
  using Seen = Restoring::Seen;
  return guarded(file, [&]() -> Result<Position> {
    Database database(file, Database::Access::write);
    TRYV(migrate(database, file));
    Tip tip = read_tip(database);
    const Since since = how.seen == Seen::since     ? how.since
                        : how.seen == Seen::unknown ? unknown(database, tip, how.made)
                                                    : nothing_since(tip);
    if (since.cluster_id != tip.position.cluster_id || since.from != tip.position.revision) {
      return fail(Code::conflict,
                  fmt::format("what was changed since revision {} of cluster {} does not belong to this backup, which "
                              "is of revision {} of cluster {}: compare with this one",
                              since.from, since.cluster_id, tip.position.revision, tip.position.cluster_id));
    }
    database.execute("BEGIN IMMEDIATE");
    if (how.seen != Seen::nothing_newer) restore(database, tip, how, since);
    tip.position.applied = since.applied + kFarAbove;
    tip.position.applied_crc = 0;
    write_position(database, tip.position);
    database.execute("COMMIT");
    // One file, without a journal beside it: it is going to be moved.
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    return tip.position;
  });
}

}  // namespace cc::state
