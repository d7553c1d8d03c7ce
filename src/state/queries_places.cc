// Environments, applications, clusters, and how many there are of everything.
#include <algorithm>

#include <fmt/format.h>

#include "state/checksum.h"
#include "state/page.h"
#include "state/queries_impl.h"
#include "state/read_places.h"

namespace cc::state {
namespace {

constexpr char kByApplication = 'a';

// Settling cannot be called off: it is waited for in pieces of this.
constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(1);

}  // namespace

Queries::Queries(Path file, std::size_t connections, Settle settle)
    : impl_(std::make_shared<const Impl>(std::move(file), connections, std::move(settle))) {}
Queries::Queries(std::shared_ptr<const Impl> impl, Deadline until) : impl_(std::move(impl)), until_(std::move(until)) {}
Queries::~Queries() = default;

Result<> Queries::Impl::settled(const Deadline& until) const {
  for (;;) {
    auto done = settle(std::min(until.left(), kPatience));
    if (done || done.error().code != Code::timeout) return done;
    if (until.passed()) {
      return fail(Code::timeout,
                  "the state was not written to disk in the time that the request may take: look at the disk's load");
    }
  }
}

Queries Queries::until(Deadline deadline) const {
  return {impl_, std::move(deadline)};
}

Result<std::vector<Environment>> Queries::environments() const {
  return ask([](Database& db) -> Result<std::vector<Environment>> {
    std::vector<Environment> found;
    Rows rows = db.ask("SELECT " CC_ENVIRONMENT_COLUMNS " FROM environment ORDER BY name");
    while (rows.next())
      found.push_back(read_environment(rows));
    return found;
  });
}

Result<Page<Application>> Queries::applications(const PageRequest& page) const {
  TRY(const std::string after, begin_page(page, kByApplication));
  return ask([&](Database& db) -> Result<Page<Application>> {
    Page<Application> found;
    Rows rows = db.ask("SELECT " CC_APPLICATION_COLUMNS " FROM application WHERE name > ? ORDER BY name", after);
    const auto name = [](const Application& application) { return application.name; };
    while (rows.next() && take(found, page.limit, kByApplication, read_application(rows), name)) {
    }
    return found;
  });
}

Result<Application> Queries::application(const std::string& name) const {
  return ask([&](Database& db) -> Result<Application> {
    Rows rows = db.ask("SELECT " CC_APPLICATION_COLUMNS " FROM application WHERE name = ?", name);
    if (!rows.next()) return fail(Code::not_found, fmt::format("there is no application {}", name));
    return read_application(rows);
  });
}

Result<std::vector<Cluster>> Queries::clusters(const std::string& environment, const std::string& application) const {
  return ask([&](Database& db) -> Result<std::vector<Cluster>> {
    std::vector<Cluster> found;
    // Environment by environment, of which there are few: so each is a range of the key.
    Rows rows =
        application.empty()
            ? db.ask("SELECT " CC_CLUSTER_COLUMNS
                     " FROM environment e "
                     "CROSS JOIN cluster c ON c.environment = e.name WHERE (?1 = '' OR e.name = ?1) "
                     "ORDER BY e.name, application, c.name",
                     environment)
            : db.ask(
                  "SELECT " CC_CLUSTER_COLUMNS
                  " FROM environment e "
                  "CROSS JOIN cluster c ON c.environment = e.name AND application = ?2 WHERE (?1 = '' OR e.name = ?1) "
                  "ORDER BY e.name, c.name",
                  environment, application);
    while (rows.next())
      found.push_back(read_cluster(rows));
    return found;
  });
}

Result<Queries::Checksum> Queries::checksum() const {
  return ask([](Database& db) -> Result<Checksum> {
    return Checksum{.applied = db.number("SELECT applied FROM position"),
                    .revision = db.number("SELECT revision FROM position"),
                    .sha256 = checksum_of(db)};
  });
}

Result<Queries::Counts> Queries::counts() const {
  return ask_unsettled([](Database& db) -> Result<Counts> {
    // Audit records are numbered without gaps: they need not be counted. Ids of releases have gaps after a restore.
    return Counts{.environments = db.number("SELECT count(*) FROM environment"),
                  .applications = db.number("SELECT count(*) FROM application"),
                  .releases = db.number("SELECT count(*) FROM release"),
                  .drafts = db.number("SELECT count(*) FROM draft"),
                  .users = db.number("SELECT count(*) FROM user"),
                  .keys = db.number("SELECT count(*) FROM access_key WHERE revoked = 0"),
                  .audit_records = db.number("SELECT ifnull((SELECT number FROM audit ORDER BY id DESC LIMIT 1) + 1 - "
                                             "(SELECT number FROM audit ORDER BY id LIMIT 1), 0) + "
                                             "ifnull((SELECT number FROM attempt ORDER BY id DESC LIMIT 1) + 1 - "
                                             "(SELECT number FROM attempt ORDER BY id LIMIT 1), 0)")};
  });
}

}  // namespace cc::state
