#include "archive/dump.h"

#include <utility>

#include <fmt/format.h>

#include "archive/primary.h"
#include "archive/schema.h"
#include "base/bytes.h"
#include "base/process.h"
#include "base/text.h"

namespace cc::archive {
namespace {

constexpr std::chrono::seconds kPatience{60};  // for a question; a dump takes as long as it takes
constexpr std::string_view kLockPatience = "30s";
constexpr std::size_t kMuchToSay = 400;
constexpr std::string_view kInstall = "install Debian's postgresql-client, of the server's version or a newer one";

Limit soon(const Clock& clock) {
  return {.until = clock.now() + kPatience, .called_off = {}};
}

// A program of PostgreSQL's, which is told of the password where no other user sees it.
Result<Finished> run(const std::vector<std::string>& arguments, const Access* access, const Deadline& until) {
  // Debian's wrapper takes the newest version for a server elsewhere, whichever runs here; the words for libpq win.
  ProcessVariables variables{{"PGHOST", "localhost"}, {"PGOPTIONS", ""}, {"LC_ALL", "C.UTF-8"}};
  if (access != nullptr && !access->password.empty()) variables["PGPASSWORD"] = access->password;
  auto finished = run_process(arguments, "", until, variables);
  if (finished || finished.error().code != Code::not_found) return finished;
  return fail(Code::not_found, fmt::format("{} is not on this machine, which the history in the archive needs: {}",
                                           arguments.front(), kInstall));
}

std::string said(const Finished& finished) {
  std::string line;
  for (const std::string_view part : split(trim(finished.errors), '\n')) {
    if (!line.empty()) line += "; ";
    line += trim(part);
    if (line.size() > kMuchToSay) return line.substr(0, kMuchToSay) + "…";
  }
  return line.empty() ? fmt::format("exit status {}", finished.status) : line;
}

bool of_another_version(const Finished& finished) {
  return finished.errors.contains("version mismatch") || finished.errors.contains("unsupported version");
}

bool has_archive(Connection& connection) {
  return connection.run("SELECT to_regclass('config_center.position') IS NOT NULL")[0][0].as<bool>();
}

Extent extent_at(Connection& connection, const Server& server) {
  Extent out{.server = server.to_string()};
  const auto position = read_position(connection);
  if (!position) return out;
  out.cluster_id = position->cluster_id;
  out.revision = position->revision;
  out.at = position->at;
  out.has_rows = connection.run("SELECT EXISTS (SELECT FROM release) OR EXISTS (SELECT FROM audit)")[0][0].as<bool>();
  return out;
}

std::unexpected<Error> is_there_already(const Extent& there) {
  return fail(
      Code::already_exists,
      fmt::format("the database at {} has an archive already, up to revision {}: with --replace it is set aside. "
                  "When the history was brought back with another node there is nothing left to do",
                  there.server, there.revision));
}

// Makes room for the schema: where nothing is in it it goes, and else it gets another name, which is returned.
Result<std::string> make_room(Connection& connection, const Server& server, bool replace) {
  connection.begin();
  connection.run(fmt::format("SET LOCAL lock_timeout = '{}'", kLockPatience));
  std::string aside;
  if (has_archive(connection)) {
    connection.run("LOCK TABLE position, release, audit IN ACCESS EXCLUSIVE MODE");
    const Extent there = extent_at(connection, server);
    if (there.has_rows && !replace) {
      connection.run("ROLLBACK");
      return is_there_already(there);
    }
    if (there.has_rows) {
      aside = "config_center_before_" + to_hex(random_bytes(4));
      connection.run("ALTER SCHEMA config_center RENAME TO " + aside);
    } else {
      connection.run("DROP SCHEMA config_center CASCADE");
    }
  } else {
    connection.run("DROP SCHEMA IF EXISTS config_center");  // one with something of somebody else's in it is refused
  }
  connection.commit();
  return aside;
}

// As it was before.
Result<> put_back(Connection& connection, const std::string& aside) {
  connection.begin();
  connection.run("DROP SCHEMA IF EXISTS config_center CASCADE");
  if (!aside.empty()) connection.run(fmt::format("ALTER SCHEMA {} RENAME TO config_center", aside));
  connection.commit();
  return {};
}

// One that gets of the processor only what nobody else wants may need far longer to connect than a node would wait.
std::string words_for_a_program(const Server& server, const Access& access) {
  return words_for_libpq(server, access) + " connect_timeout=60";
}

Result<> run_restore(const Primary& primary, const Options& options, const Path& dump, const Deadline& until) {
  const Access access = access_of(options);
  TRY(const Finished finished,
      run({"pg_restore", "--no-password", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
           "--no-tablespaces", "--dbname", words_for_a_program(primary.server(), access), dump.string()},
          &access, until));
  if (finished.good()) return {};
  return fail(of_another_version(finished) ? Code::invalid_argument : Code::unavailable,
              fmt::format("pg_restore to {}: {}{}", primary.server().to_string(), said(finished),
                          of_another_version(finished) ? fmt::format(": {}", kInstall) : ""));
}

Result<Extent> brought_back(const Primary& primary, const std::string& cluster_id, const Clock& clock) {
  return primary.with(soon(clock), [&](Connection& connection) -> Result<Extent> {
    TRYV(schema_version(connection));  // of a newer one nothing else can be asked
    Extent now = extent_at(connection, primary.server());
    if (!cluster_id.empty() && now.cluster_id == cluster_id) return now;
    return fail(Code::conflict, fmt::format("the dump has the archive of another cluster, \"{}\", and the backup is of "
                                            "{}: it is not used",
                                            now.cluster_id, cluster_id));
  });
}

}  // namespace

Result<Extent> extent_of(const Options& options, const Clock& clock) {
  TRY(const Primary primary, Primary::find(options, clock, soon(clock)));
  return primary.with(
      soon(clock), [&](Connection& connection) -> Result<Extent> { return extent_at(connection, primary.server()); });
}

struct HeldArchive::Impl {
  Primary primary;
  Access access;
  Extent extent;
  std::string snapshot;
};

HeldArchive::HeldArchive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HeldArchive::~HeldArchive() = default;
HeldArchive::HeldArchive(HeldArchive&&) noexcept = default;
HeldArchive& HeldArchive::operator=(HeldArchive&&) noexcept = default;

Result<HeldArchive> HeldArchive::hold(const Options& options, const Clock& clock) {
  TRY(Primary primary, Primary::find(options, clock, soon(clock)));
  auto impl = std::make_unique<Impl>(Impl{.primary = std::move(primary), .access = access_of(options)});
  TRYV(impl->primary.with(soon(clock), [&](Connection& connection) -> Result<> {
    connection.run(fmt::format("SET statement_timeout = '{}'", kLockPatience));
    connection.run("SET idle_in_transaction_session_timeout = 0");
    connection.begin("REPEATABLE READ READ ONLY");
    impl->extent = extent_at(connection, impl->primary.server());
    if (impl->extent.cluster_id.empty()) {
      return fail(Code::unavailable,
                  fmt::format("no node has begun an archive in the database at {} yet", impl->extent.server));
    }
    impl->snapshot = connection.run("SELECT pg_export_snapshot()")[0][0].as<std::string>();
    return {};
  }));
  return HeldArchive(std::move(impl));
}

const Extent& HeldArchive::extent() const {
  return impl_->extent;
}

Result<> HeldArchive::dump(const Path& to, const Deadline& until) const {
  const Server& server = impl_->primary.server();
  // The backup is compressed as a whole; a little of it here, since the dump lies on a disk meanwhile.
  TRY(const Finished finished,
      run({"pg_dump", "--no-password", "--format=custom", "--compress=1", "--schema=config_center", "--strict-names",
           "--no-owner", "--no-privileges", "--no-tablespaces", "--encoding=UTF8",
           fmt::format("--lock-wait-timeout={}", kLockPatience), "--snapshot=" + impl_->snapshot,
           "--file=" + to.string(), "--dbname=" + words_for_a_program(server, impl_->access)},
          &impl_->access, until));
  if (finished.good()) return {};
  return fail(Code::unavailable, fmt::format("pg_dump of the archive at {}: {}{}", server.to_string(), said(finished),
                                             of_another_version(finished) ? fmt::format(": {}", kInstall) : ""));
}

Result<> read_dump(const Path& dump, const Deadline& until) {
  TRY(const Finished finished, run({"pg_restore", "--file=/dev/null", dump.string()}, nullptr, until));
  if (finished.good()) return {};
  if (of_another_version(finished)) {
    return fail(Code::invalid_argument,
                fmt::format("the dump of the archive cannot be read here: {}: {}", said(finished), kInstall));
  }
  return fail(Code::corruption,
              fmt::format("the dump of the archive is damaged, as pg_restore says: {}", said(finished)));
}

Result<Extent> check_bring_back(const Options& options, bool replace, const Clock& clock) {
  TRYV(run({"pg_restore", "--version"}, nullptr, {clock, clock.now() + kPatience}));
  TRY(Extent there, extent_of(options, clock));
  if (there.has_rows && !replace) return is_there_already(there);
  return there;
}

Result<BroughtBack> bring_back(const Options& options, const BringBack& how, const Clock& clock,
                               const Deadline& until) {
  TRYV(check_bring_back(options, how.replace, clock));
  TRY(const Primary primary, Primary::find(options, clock, soon(clock)));
  BroughtBack out;
  TRY(out.set_aside, primary.with(soon(clock), [&](Connection& connection) -> Result<std::string> {
    connection.run(fmt::format("SET statement_timeout = '{}'", kLockPatience));
    // As who makes the schema: no node begins one meanwhile. Held until the connection ends.
    connection.run("SELECT pg_advisory_lock(hashtext('config-center archive'))");
    return make_room(connection, primary.server(), how.replace);
  }));
  const auto restored = run_restore(primary, options, how.dump, until);
  auto now = restored ? brought_back(primary, how.cluster_id, clock) : fail(restored.error());
  if (now) {
    out.extent = *std::move(now);
    return out;
  }
  const auto undone =
      primary.with(soon(clock), [&](Connection& connection) { return put_back(connection, out.set_aside); });
  if (undone) return fail(std::move(now).error().with_context("nothing is changed in the database"));
  return fail(std::move(now).error().with_context(
      out.set_aside.empty() ? "the database has no archive now"
                            : fmt::format("what was there is in the schema {} of the database", out.set_aside)));
}

}  // namespace cc::archive
