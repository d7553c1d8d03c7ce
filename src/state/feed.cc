#include "state/feed.h"

#include <algorithm>
#include <array>
#include <utility>

#include "state/connections.h"
#include "state/read_audit.h"
#include "state/read_places.h"
#include "state/releases.h"
#include "state/tip.h"

namespace cc::state {
namespace {

FeedPosition newest_of(Database& db) {
  return {.release = db.number("SELECT max(id) FROM release"),
          .audit = std::max(db.number("SELECT max(id) FROM audit"), db.number("SELECT max(id) FROM attempt"))};
}

void read_releases(Database& db, FeedBatch& batch, std::uint64_t after, const FeedLimits& limits) {
  Rows rows = db.ask("SELECT " CC_RELEASE_COLUMNS
                     ", c.key, r.id FROM release r JOIN config c ON c.number = r.config WHERE r.id > ? ORDER BY r.id",
                     after);
  std::uint64_t bytes = 0;
  while (rows.next()) {
    ReleasePtr release = read_release(rows, 0, rows.text(kReleaseColumns));
    bytes += release->content.size();
    if (batch.releases.size() == limits.releases || (!batch.releases.empty() && bytes > limits.bytes)) return;
    batch.until.release = rows.number(kReleaseColumns + 1);
    batch.releases.push_back({.id = batch.until.release, .release = std::move(release)});
  }
  batch.until.release = std::max(after, batch.newest.release);
}

void read_audits(Database& db, FeedBatch& batch, std::uint64_t after, const FeedLimits& limits) {
  Rows rows = db.ask("SELECT " CC_AUDIT_COLUMNS " FROM audit WHERE id > ?1 UNION ALL SELECT " CC_ATTEMPT_COLUMNS
                     " FROM attempt WHERE id > ?1 ORDER BY id",
                     after);
  while (rows.next()) {
    if (batch.audits.size() == limits.audits) return;
    batch.audits.push_back(read_audit(rows));
    batch.until.audit = batch.audits.back().id;
  }
  batch.until.audit = std::max(after, batch.newest.audit);
}

// Also those that a publish made have records of their own.
bool may_change_places(const FeedBatch& batch) {
  constexpr std::array<std::string_view, 4> kActions{"environment.", "application.", "cluster.", "initialize"};
  return std::ranges::any_of(batch.audits, [&](const AuditRecord& record) {
    return std::ranges::any_of(kActions, [&](std::string_view start) { return record.action.starts_with(start); });
  });
}

Places read_places(Database& db) {
  Places places;
  Rows environments = db.ask("SELECT " CC_ENVIRONMENT_COLUMNS " FROM environment ORDER BY name");
  while (environments.next())
    places.environments.push_back(read_environment(environments));
  Rows applications = db.ask("SELECT " CC_APPLICATION_COLUMNS " FROM application ORDER BY name");
  while (applications.next())
    places.applications.push_back(read_application(applications));
  Rows clusters = db.ask("SELECT " CC_CLUSTER_COLUMNS " FROM cluster c ORDER BY environment, application, name");
  while (clusters.next())
    places.clusters.push_back(read_cluster(clusters));
  return places;
}

// Everything up to it is in the batch and what precedes it. A revision may have several releases and records.
Revision complete_revision(const FeedBatch& batch, Revision newest) {
  Revision complete = newest;
  if (batch.until.release < batch.newest.release && !batch.releases.empty())
    complete = std::min(complete, batch.releases.back().release->revision - 1);
  if (batch.until.audit < batch.newest.audit) {
    const auto changed = std::ranges::find_if(batch.audits.rbegin(), batch.audits.rend(),
                                              [](const AuditRecord& record) { return record.revision != 0; });
    complete = changed == batch.audits.rend() ? 0 : std::min(complete, changed->revision - 1);
  }
  return complete;
}

}  // namespace

struct Feed::Impl {
  explicit Impl(Path file) : connections(std::move(file), 1) {}
  Connections connections;
};

Feed::Feed(Path file) : impl_(std::make_unique<Impl>(std::move(file))) {}
Feed::~Feed() = default;

Result<FeedBatch> Feed::read(const FeedPosition& after, const FeedLimits& limits, const Deadline& until) const {
  return guarded(impl_->connections.file(), [&]() -> Result<FeedBatch> {
    const auto db = impl_->connections.take(until);
    const Position position = read_position(*db);
    FeedBatch batch{.until = after, .newest = newest_of(*db), .cluster_id = position.cluster_id};
    const Archived archived = read_archived(*db);
    batch.archived = {.release = archived.release, .audit = archived.audit};
    read_releases(*db, batch, after.release, limits);
    read_audits(*db, batch, after.audit, limits);
    if (limits.places || may_change_places(batch)) batch.places = read_places(*db);
    batch.revision = complete_revision(batch, position.revision);
    return batch;
  });
}

Result<FeedNewest> Feed::newest(const Deadline& until) const {
  return guarded(impl_->connections.file(), [&]() -> Result<FeedNewest> {
    const auto db = impl_->connections.take(until);
    Position position = read_position(*db);
    const Archived archived = read_archived(*db);
    return FeedNewest{.at = newest_of(*db),
                      .cluster_id = std::move(position.cluster_id),
                      .revision = position.revision,
                      .archived = {.release = archived.release, .audit = archived.audit}};
  });
}

Result<FeedPosition> Feed::published(const std::function<Result<>(FeedRelease)>& each, const Deadline& until) const {
  return guarded(impl_->connections.file(), [&]() -> Result<FeedPosition> {
    const auto db = impl_->connections.take(until);
    Rows rows = db->ask("SELECT " CC_RELEASE_COLUMNS
                        ", c.key, r.id FROM config c JOIN release r ON r.id = c.release WHERE c.deleted = 0 ORDER BY "
                        "c.key");
    while (rows.next())
      TRYV(
          each({.id = rows.number(kReleaseColumns + 1), .release = read_release(rows, 0, rows.text(kReleaseColumns))}));
    return newest_of(*db);
  });
}

}  // namespace cc::state
