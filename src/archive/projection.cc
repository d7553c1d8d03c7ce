#include "archive/projection.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/pause.h"
#include "state/pace.h"

namespace cc::archive {
namespace {

const Logger kLog{"archive"};

using std::chrono::milliseconds;

// Of one batch: longer than that, and it is tried again with half of it; a server that hangs must not be waited for
// when another one is promoted.
constexpr std::chrono::seconds kBatchPatience{5};
constexpr std::chrono::seconds kIdle{1};
// Commits that are nothing for the archive (history is forgotten) must not keep it from being looked at.
constexpr std::chrono::seconds kLookAtLeastEvery{2};
constexpr milliseconds kFromBatchToBatch{250};

bool precedes(const state::FeedPosition& a, const state::FeedPosition& b) {
  return a.release < b.release || a.audit < b.audit;
}

state::FeedPosition newest(const state::FeedPosition& a, const state::FeedPosition& b) {
  return {.release = std::max(a.release, b.release), .audit = std::max(a.audit, b.audit)};
}

}  // namespace

Projection::Projection(Pool& pool, Servers& servers, Path state_file, Bell& committed, const Clock& clock)
    : pool_(pool), servers_(servers), feed_(std::move(state_file)), committed_(committed), clock_(clock) {}

Projection::Status Projection::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Projection::run(const std::stop_token& stop) {
  const auto change = [this](auto how) {
    const std::lock_guard lock(mutex_);
    how(status_);
  };
  await_cluster(stop);
  change([](Status& status) { status.running = true; });
  Backoff backoff;
  std::string told;
  while (!stop.stop_requested()) {
    const std::uint64_t before = status().batches;
    const auto written = write_all(stop);
    if (stop.stop_requested()) break;
    writer_ = Writer();  // what it knows may be of a server that is no more
    places_written_ = false;
    const bool moved = status().batches != before;
    if (moved) backoff.reset();
    if (written) continue;
    change([&](Status& status) {
      ++status.errors;
      status.trouble = written.error().message;
    });
    if (moved || written.error().message != told) {
      told = written.error().message;
      kLog.warn("the archive is not written; what it lacks is written when it can be", {{"reason", told}});
    }
    // Woken by a commit it would hammer a database that is down.
    backoff.wait(stop);
  }
  change([](Status& status) {
    status.running = false;
    status.trouble.clear();
  });
}

// The very first command names the cluster.
void Projection::await_cluster(const std::stop_token& stop) {
  for (std::uint64_t heard = 0; !stop.stop_requested();) {
    const auto newest = feed_.newest({});
    if (newest && !newest->cluster_id.empty()) return;
    heard = committed_.wait(heard, kIdle, stop);
  }
}

Result<> Projection::write_all(const std::stop_token& stop) {
  TRY(const std::size_t server, servers_.find_primary(stop));
  const Limit limit{.until = clock_.now() + kBatchPatience, .called_off = stop};
  TRY(Position position, pool_.with(server, limit, [this](Connection& connection) { return begin(connection); }));
  kLog.info("the archive is written", {{"server", pool_.servers()[server].to_string()},
                                       {"release", position.at.release},
                                       {"audit", position.at.audit},
                                       {"revision", position.revision}});
  state::Pace pace(kFromBatchToBatch);
  std::uint64_t batches = status().batches;
  Mono touched = clock_.now();  // the archive was as it was left then
  while (!stop.stop_requested()) {
    const std::uint64_t heard = committed_.rings();
    const Mono began = clock_.now();
    TRY(const Step step, write_some(server, position, stop));
    if (step == Step::moved_on) return {};
    if (const std::uint64_t now = status().batches; now != batches) {
      batches = now;
      touched = clock_.now();
    }
    const Mono next = pace.next(began, newest_);
    const bool rang = step == Step::more || committed_.wait(heard, kIdle, stop) != heard;
    if (rang) pause_for(std::chrono::ceil<milliseconds>(next - clock_.now()), stop);
    if (stop.stop_requested() || (rang && clock_.now() - touched < kLookAtLeastEvery)) continue;
    TRY(const bool as_left, look_again(server, position, stop));
    if (!as_left) return {};
    touched = clock_.now();
  }
  return {};
}

Result<Position> Projection::begin(Connection& connection) {
  TRYV(migrate(connection));
  TRY(const auto here, feed_.newest({}));
  connection.run("INSERT INTO position (cluster_id) VALUES ($1) ON CONFLICT DO NOTHING", {here.cluster_id});
  const auto position = read_position(connection);
  if (!position) return fail(Code::internal, "the archive has no position although it was written");
  if (position->cluster_id != here.cluster_id) {
    return fail(Code::conflict,
                fmt::format("the database has the archive of another cluster, {}, and this is {}: nothing is written; "
                            "give each cluster a database of its own, or drop the schema config_center there",
                            position->cluster_id, here.cluster_id));
  }
  if (position->rebuilding()) {
    kLog.info("the archive is rebuilt: everything that this node still has is written again");
  } else if (const state::FeedPosition was = newest(highest_, here.archived); precedes(position->at, was)) {
    kLog.error(
        "the archive went back in time: its database was restored, or a replica was promoted that lacked the "
        "last commits; what it lacks is written again",
        {{"release", position->at.release},
         {"was", was.release},
         {"audit", position->at.audit},
         {"audit_was", was.audit}});
    const std::lock_guard lock(mutex_);
    ++status_.went_back;
  }
  highest_ = position->at;
  return *position;
}

Result<Projection::Step> Projection::write_some(std::size_t server, Position& position, const std::stop_token& stop) {
  state::FeedLimits limits = limits_;
  limits.places = !places_written_;
  TRY(const state::FeedBatch batch, feed_.read(position.at, limits, {}));
  newest_ = batch.newest.release;
  TRYV(check_history(position, batch));
  if (!batch.releases.empty() || !batch.audits.empty() || batch.places) {
    const Limit limit{.until = clock_.now() + kBatchPatience, .called_off = stop};
    const auto written = pool_.with(server, limit, [&](Connection& connection) -> Result<std::optional<Position>> {
      return writer_.write(connection, position, batch);
    });
    if (!written) {
      limits_.releases = std::max<std::size_t>(limits_.releases / 2, 1);
      limits_.audits = std::max<std::size_t>(limits_.audits / 2, 1);
      limits_.bytes = std::max<std::uint64_t>(limits_.bytes / 2, 64 << 10);
      return fail(written.error());
    }
    const state::FeedLimits most;
    limits_.releases = std::min(2 * limits_.releases, most.releases);
    limits_.audits = std::min(2 * limits_.audits, most.audits);
    limits_.bytes = std::min(2 * limits_.bytes, most.bytes);
    if (!*written) return Step::moved_on;
    position = **written;
    places_written_ = true;
    note_batch();
  }
  note(position);
  return batch.all() ? Step::all : Step::more;
}

Result<> Projection::check_history(const Position& position, const state::FeedBatch& batch) const {
  if (!precedes(batch.newest, position.at)) return {};
  return fail(Code::conflict,
              fmt::format("the archive is ahead of the state of this node: it has release {} and audit record {}, here "
                          "are {} and {}. When the cluster was restored to an earlier time, run: config-center archive "
                          "rebuild",
                          position.at.release, position.at.audit, batch.newest.release, batch.newest.audit));
}

// While there is nothing to write. Whether the archive is as it was left: somebody may have begun to rebuild it.
Result<bool> Projection::look_again(std::size_t server, const Position& position, const std::stop_token& stop) {
  const ServerState seen = servers_.look(server, stop);
  if (!seen.answers) return fail(Code::unavailable, seen.trouble);
  if (!seen.primary) return fail(Code::unavailable, pool_.servers()[server].to_string() + " is no primary any more");
  return seen.position && seen.position->at == position.at;
}

void Projection::note(const Position& position) {
  highest_ = newest(highest_, position.at);
  const std::lock_guard lock(mutex_);
  status_.position = position;
  status_.trouble.clear();
}

void Projection::note_batch() {
  const std::lock_guard lock(mutex_);
  ++status_.batches;
}

}  // namespace cc::archive
