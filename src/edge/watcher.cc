#include "edge/watcher.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/pause.h"

namespace cc::edge {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const Logger kLog{"edge"};

constexpr milliseconds kPause = 2s;
constexpr milliseconds kReading = 10s;

}  // namespace

Watcher::Watcher(Servers servers, Keys keys, const Path& state_file, Status& status, const Clock& clock)
    : servers_(std::move(servers)),
      keys_(std::move(keys)),
      status_(status),
      clock_(clock),
      feed_(state_file),
      address_(servers_.sentinels.empty() ? to_string(servers_.address) : servers_.sentinel_primary),
      nothing_since_(clock.wall()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Watcher::~Watcher() = default;

void Watcher::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "cc-edge-watch");
  for (; !stop.stop_requested(); pause_for(kPause, stop)) {
    const auto looked = look(stop);
    const std::string trouble = looked ? "" : looked.error().message;
    if (stop.stop_requested()) return;
    if (!looked) primary_.reset();
    tell_endpoints(trouble);
    if (status_.looking_is_in(trouble) && !looked)
      kLog.debug("the edge copy cannot be looked at", {{"reason", looked.error()}});
  }
}

Result<> Watcher::look(const std::stop_token& stop) {
  const std::uint64_t writes = status_.writes();
  const Deadline until(clock_, clock_.now() + kReading, stop);
  // The state first: what is committed meanwhile does not make the copy look behind.
  TRY(const Position state, position_of_state(feed_, until));
  const auto found = look_at_redis(stop);
  if (found && state.cluster_id.empty()) return {};
  const bool foreign = found && *found && (*found)->cluster_id != state.cluster_id;
  if (found && *found && !foreign) {
    seen_ = **found;
    nothing_since_ = clock_.wall();
  } else if (found) {
    seen_ = {};
  }
  TRY(const milliseconds lag, lag_behind(state, until));
  status_.saw(writes, seen_.revision, state.revision - std::min(state.revision, seen_.revision), lag);
  if (!found) return fail(found.error());
  return foreign ? belongs_to(**found, state.cluster_id, keys_) : Result<>();
}

Result<MaybePosition> Watcher::look_at_redis(const std::stop_token& stop) {
  const Patience patience{.clock = clock_, .stop = stop};
  if (primary_ && !still_primary(primary_->redis, servers_, patience)) primary_.reset();
  if (!primary_) {
    TRY(primary_, find_primary(servers_, patience));
    address_ = to_string(primary_->redis.address());
  }
  return read_position(primary_->redis, keys_);
}

// How long ago the oldest release was made that is not there.
Result<milliseconds> Watcher::lag_behind(const Position& state, const Deadline& until) {
  if (seen_.cluster_id.empty()) return std::max(clock_.wall() - nothing_since_, 0ms);
  if (seen_.release >= state.release) return 0ms;
  TRY(const auto batch, feed_.read(after(seen_), {.releases = 1}, until));
  if (batch.releases.empty()) return 0ms;
  return std::max(clock_.wall() - batch.releases.front().release->time, 0ms);
}

void Watcher::tell_endpoints(const std::string& trouble) {
  std::vector<ProjectionStatus::Endpoint> endpoints;
  endpoints.push_back({.address = address_,
                       .role = primary_ ? "primary" : "",
                       .revision = primary_ ? seen_.revision : 0,
                       .trouble = primary_ ? "" : trouble});
  if (primary_) {
    for (const std::string& replica : primary_->replicas)
      endpoints.push_back({.address = replica, .role = "replica"});
  }
  status_.change([&](ProjectionStatus& status) { status.endpoints = std::move(endpoints); });
}

}  // namespace cc::edge
