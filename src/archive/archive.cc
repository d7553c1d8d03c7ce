#include "archive/archive.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "archive/differences.h"
#include "archive/pool.h"
#include "archive/primary.h"
#include "archive/projection.h"
#include "archive/questions.h"
#include "archive/servers.h"
#include "base/bytes.h"
#include "base/log.h"
#include "state/page.h"

namespace cc::archive {
namespace {

const Logger kLog{"archive"};

// A server that does not answer must leave time to ask the next one.
constexpr std::chrono::seconds kPatience{5};

}  // namespace

Result<> check_hosts(std::string_view hosts) {
  if (hosts.empty()) return {};
  TRYV(parse_servers(hosts, 1));
  return {};
}

std::string_view to_string(Source source) {
  switch (source) {
    case Source::node:
      return "node";
    case Source::replica:
      return "replica";
    case Source::primary:
      return "primary";
  }
  std::unreachable();
}

struct Archive::Impl {
  Impl(PoolOptions options, const Path& state_file, Bell& committed, const Clock& clock_)
      : clock(clock_),
        pool(std::move(options), clock_),
        feed(state_file),
        servers(pool, clock_, [this] { measure_lag(); }),
        projection(pool, servers, state_file, committed, clock_) {}

  Limit limit(const Deadline& until) const {
    return {.until = clock.now() + std::min<std::chrono::milliseconds>(until.left(), kPatience), .called_off = {}};
  }

  // Asks `question(connection, position)` of the first server that answers, in one state of it. None: nobody does.
  template <class T, class Question>
  std::optional<Answer<T>> ask(const Deadline& until, const Question& question) {
    for (const std::size_t server : servers.readers(needed())) {
      const bool primary = servers.all()[server].primary;
      auto answer = pool.with(server, limit(until), [&](Connection& connection) -> Result<T> {
        connection.begin("REPEATABLE READ READ ONLY");
        const auto position = read_position(connection);
        if (!position) return fail(Code::unavailable, "the archive was taken away");
        TRY(T found, question(connection, position->written));
        connection.commit();
        return found;
      });
      if (answer) return Answer<T>{.value = *std::move(answer), .source = primary ? Source::primary : Source::replica};
      kLog.warn("a server of the archive does not answer a question",
                {{"server", pool.servers()[server].to_string()}, {"reason", answer.error()}});
      if (answer.error().code == Code::unavailable) servers.failed(server, answer.error());
    }
    return std::nullopt;
  }

  // What a server must have to be asked: what this node may have forgotten, which is what was archived when that was
  // told the time before.
  state::FeedPosition needed() const {
    const std::lock_guard lock(needed_mutex);
    return needed_;
  }

  std::optional<state::FeedPosition> archived() const {
    for (const ServerState& server : servers.all()) {
      if (server.answers && server.primary && server.position) return server.position->at;
    }
    return std::nullopt;
  }

  // How old the oldest is that the archive does not have.
  void measure_lag() {
    const auto at = archived();
    if (!at) return;
    const std::lock_guard lock(reading);
    const auto batch = feed.read(*at, {.releases = 1, .audits = 1}, {});
    if (!batch) return;
    {
      const std::lock_guard needed_lock(needed_mutex);
      needed_ = batch->archived;
    }
    Wall oldest = Wall::max();
    if (!batch->releases.empty()) oldest = batch->releases.front().release->time;
    if (!batch->audits.empty()) oldest = std::min(oldest, batch->audits.front().time);
    lag = oldest == Wall::max() ? std::chrono::milliseconds(0)
                                : std::max(clock.wall() - oldest, std::chrono::milliseconds(0));
  }

  const Clock& clock;
  Pool pool;
  std::mutex reading;  // the feed, which is read by one thread at a time
  state::Feed feed;    // guarded by reading
  mutable std::mutex needed_mutex;
  state::FeedPosition needed_;                   // guarded by needed_mutex
  std::atomic<std::chrono::milliseconds> lag{};  // when the servers were last looked at
  Servers servers;
  Projection projection;
};

Archive::Archive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Archive::~Archive() = default;

Result<std::unique_ptr<Archive>> Archive::open(const Options& options, const Path& state_file, Bell& committed,
                                               const Clock& clock) {
  TRY(auto servers, parse_servers(options.hosts, options.port));
  PoolOptions pool{.servers = std::move(servers),
                   .access = access_of(options),
                   .size = options.pool_size,
                   .max_lifetime = options.max_lifetime};
  return std::unique_ptr<Archive>(new Archive(std::make_unique<Impl>(std::move(pool), state_file, committed, clock)));
}

void Archive::write(const std::stop_token& stop) {
  impl_->projection.run(stop);
}

std::optional<state::FeedPosition> Archive::position() const {
  return impl_->archived();
}

ProjectionStatus Archive::status(Revision here) const {
  const Projection::Status written = impl_->projection.status();
  const Pool::Use use = impl_->pool.use();
  ProjectionStatus status{.writing = written.running,
                          .trouble = written.trouble,
                          .batches = written.batches,
                          .errors = written.errors,
                          .connects = use.connects,
                          .went_back = written.went_back,
                          .connections = use.open,
                          .connections_in_use = use.taken};
  bool has_primary = false, looked = false;
  const std::vector<ServerState> servers = impl_->servers.all();
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const ServerState& server = servers[i];
    const Revision revision = server.position ? server.position->revision : 0;
    status.endpoints.push_back({.address = impl_->pool.servers()[i].to_string(),
                                .role = !server.answers  ? ""
                                        : server.primary ? "primary"
                                                         : "replica",
                                .revision = revision,
                                .trouble = server.trouble});
    looked = looked || server.answers || !server.trouble.empty();
    if (!server.answers || !server.primary) continue;
    has_primary = true;
    status.revision = std::max(status.revision, revision);
  }
  if (written.running && written.position) status.revision = written.position->revision;
  if (status.trouble.empty() && looked && !has_primary) status.trouble = "no primary of the archive is reached";
  status.lag_revisions = here - std::min(here, status.revision);
  status.lag = impl_->lag;
  return status;
}

Result<Answer<state::Page<ReleaseInfo>>> Archive::history(const state::Queries& here, const ConfigKey& key,
                                                          const state::PageRequest& page, const Deadline& until) {
  using Found = state::Page<ReleaseInfo>;
  TRY(const std::uint64_t before,
      state::begin_numbered_page(page, state::kByRelease, std::numeric_limits<std::int64_t>::max()));
  // The node knows which configs there ever were.
  TRY(Found own, here.history(key, page));
  const auto answer =
      impl_->ask<Found>(until, [&](Connection& connection, const state::FeedPosition& at) -> Result<Found> {
        TRY(Found found, here.history(key, page, at.release));
        if (!found.next.empty()) return found;
        const std::uint64_t from = std::min(before, at.release + 1);
        const std::size_t room = page.limit - found.items.size();
        const auto older = ask_history(connection, key.to_string(), from, room + 1);
        std::uint64_t last = from;
        for (const auto& each : older) {
          if (found.items.size() == page.limit) {
            found.next = state::make_cursor(state::kByRelease, std::to_string(last));
            break;
          }
          found.items.push_back(each.item);
          last = each.id;
        }
        return found;
      });
  if (answer) return *answer;
  return Answer<Found>{.value = std::move(own), .source = Source::node};
}

Result<Answer<ReleasePtr>> Archive::release(const state::Queries& here, const ConfigKey& key, Version version,
                                            const Deadline& until) {
  auto own = here.release(key, version);
  if (own || own.error().code != Code::not_found) return from_here(std::move(own));
  const auto answer =
      impl_->ask<ReleasePtr>(until, [&](Connection& connection, const state::FeedPosition&) -> Result<ReleasePtr> {
        return ask_release(connection, key, version);
      });
  if (!answer || !answer->value) return from_here(std::move(own));
  if (const Release& found = *answer->value; sha256_hex(found.content) != found.sha256) {
    return fail(Code::corruption,
                fmt::format("the content of {} version {} in the archive is not what was published; see "
                            "config-center archive verify",
                            found.key_text, found.version));
  }
  return *answer;
}

Result<Answer<state::Page<AuditRecord>>> Archive::audit(const state::Queries& here, const state::AuditFilter& filter,
                                                        const state::PageRequest& page, const Deadline& until) {
  using Found = state::Page<AuditRecord>;
  TRY(const std::uint64_t before,
      state::begin_numbered_page(page, state::kByRecord, std::numeric_limits<std::int64_t>::max()));
  std::optional<Error> failed_here;
  const auto answer =
      impl_->ask<Found>(until, [&](Connection& connection, const state::FeedPosition& at) -> Result<Found> {
        auto newest = here.audit(filter, page, at.audit);
        if (!newest) {
          failed_here = newest.error();
          return Found();
        }
        Found found = *std::move(newest);
        if (!found.next.empty()) return found;
        const std::uint64_t from = std::min(before, at.audit + 1);
        std::uint64_t last = from;
        for (AuditRecord& each : ask_audit(connection, filter, from, page.limit - found.items.size() + 1)) {
          if (found.items.size() == page.limit) {
            found.next = state::make_cursor(state::kByRecord, std::to_string(last));
            break;
          }
          last = each.id;
          found.items.push_back(std::move(each));
        }
        return found;
      });
  if (failed_here) return fail(*std::move(failed_here));
  if (answer) return *answer;
  return from_here(here.audit(filter, page));
}

Result<Archive::Verified> Archive::verify(const state::FeedPosition& after, const Deadline& until) {
  TRY(const std::size_t server, impl_->servers.find_primary({}));
  const Limit limit{.until = impl_->clock.now() + until.left(), .called_off = {}};
  return impl_->pool.with(server, limit, [&](Connection& connection) -> Result<Verified> {
    connection.begin("REPEATABLE READ READ ONLY");
    const auto position = read_position(connection);
    if (!position) return fail(Code::unavailable, "there is no archive yet");
    if (position->rebuilding()) {
      return fail(
          Code::unavailable,
          "the archive is being rebuilt, and can be compared afterwards; how far: config-center archive status");
    }
    const std::lock_guard lock(impl_->reading);
    TRY(state::FeedBatch here, impl_->feed.read(after, {}, until));
    // What the archive does not have yet is no difference.
    std::erase_if(here.releases, [&](const auto& each) { return each.id > position->at.release; });
    std::erase_if(here.audits, [&](const auto& each) { return each.id > position->at.audit; });
    Verified verified{.until = {.release = std::min(here.until.release, position->at.release),
                                .audit = std::min(here.until.audit, position->at.audit)},
                      .archive = position->at,
                      .releases = here.releases.size(),
                      .audits = here.audits.size(),
                      .differences = {},
                      .all = false};
    verified.all = verified.until == position->at || here.all();
    verified.differences = differences(here.releases, ask_releases(connection, after.release, verified.until.release));
    const auto of_audits = differences(here.audits, ask_audits(connection, after.audit, verified.until.audit));
    verified.differences.insert(verified.differences.end(), of_audits.begin(), of_audits.end());
    connection.commit();
    return verified;
  });
}

Result<> Archive::rebuild(const Deadline& until) {
  TRY(const std::size_t server, impl_->servers.find_primary({}));
  const Limit limit{.until = impl_->clock.now() + until.left(), .called_off = {}};
  return impl_->pool.with(server, limit, [&](Connection& connection) -> Result<> {
    if (!read_position(connection)) return fail(Code::unavailable, "there is no archive yet");
    state::FeedNewest newest;
    {
      const std::lock_guard lock(impl_->reading);
      TRY(newest, impl_->feed.newest(until));
    }
    connection.begin();
    const Values last{std::to_string(newest.at.release), std::to_string(newest.at.audit)};
    connection.run(
        "UPDATE position SET release = 0, audit = 0, revision = 0, cluster_id = $3, release_written = "
        "least(release_written, $1), audit_written = least(audit_written, $2)",
        {last[0], last[1], newest.cluster_id});
    connection.run("DELETE FROM config");
    // Of another history: this cluster will give the same numbers to something else.
    connection.run("DELETE FROM release WHERE id > $1", {last[0]});
    connection.run("DELETE FROM audit WHERE id > $1", {last[1]});
    connection.commit();
    return {};
  });
}

}  // namespace cc::archive
