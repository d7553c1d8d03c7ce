#include "edge/copy.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/backoff.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/text.h"
#include "edge/filling.h"
#include "edge/writing.h"
#include "state/pace.h"

namespace cc::edge {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const Logger kLog{"edge"};

// How often what stands in Redis is looked at, and whether this still is the primary.
constexpr milliseconds kLook = 1s;
constexpr milliseconds kFromBatchToBatch = 200ms;
constexpr milliseconds kReading = 10s;
// Of a size that does not keep Redis from others for long.
constexpr state::FeedLimits kBatch{.releases = 3000, .audits = 1, .bytes = 2 << 20};

}  // namespace

Copy::Copy(Servers servers, Keys keys, Source source, Status& status, const Clock& clock)
    : servers_(std::move(servers)),
      keys_(std::move(keys)),
      source_(std::move(source)),
      status_(status),
      clock_(clock),
      feed_(source_.state_file) {}

void Copy::run(const std::stop_token& stop, std::uint64_t term) {
  status_.change([](ProjectionStatus& status) { status.writing = true; });
  Backoff backoff;
  while (!stop.stop_requested()) {
    const std::uint64_t writes = status_.writes();
    const auto ended = follow(stop, term);
    if (stop.stop_requested()) break;
    if (status_.writes() != writes) backoff.reset();
    const Error why = ended ? Error{.message = "nothing more is written"} : ended.error();
    status_.change([](ProjectionStatus& status) { ++status.errors; });
    if (status_.writing_is_in(why.message)) {
      if (why.code == Code::permission_denied) {
        kLog.error("the edge copy is not written", {{"reason", why}});
      } else {
        kLog.warn("the edge copy does not go on; it is tried again", {{"reason", why}});
      }
    }
    backoff.wait(stop);
  }
  status_.writing_is_in("");
  status_.change([](ProjectionStatus& status) { status.writing = false; });
}

// At the first start there is nothing yet to make a copy of.
Result<> Copy::await_cluster(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::uint64_t heard = source_.committed.rings();
    TRY(const Position state, position_of_state(feed_, {clock_, clock_.now() + kReading, stop}));
    if (!state.cluster_id.empty()) return {};
    source_.committed.wait(heard, kLook, stop);
  }
  return {};
}

Result<> Copy::follow(const std::stop_token& stop, std::uint64_t term) {
  TRYV(await_cluster(stop));
  TRY(Found primary, find_primary(servers_, {.clock = clock_, .stop = stop}));
  status_.change([](ProjectionStatus& status) { ++status.connects; });
  TRYV(look(primary.redis, stop, term));
  if (status_.writing_is_in(""))
    kLog.info("the edge copy goes on", {{"redis", to_string(primary.redis.address())}, {"release", at_.release}});
  state::Pace pace(kFromBatchToBatch);
  Mono looked = clock_.now();
  while (!stop.stop_requested()) {
    // Before the state is read: what rings while it is read is not waited for.
    const std::uint64_t heard = source_.committed.rings();
    const Mono began = clock_.now();
    if (clock_.now() - looked >= kLook) {
      TRYV(still_primary(primary.redis, servers_, {.clock = clock_, .stop = stop}));
      TRYV(look(primary.redis, stop, term));
      looked = clock_.now();
    }
    TRY(const bool wrote, write_next(primary.redis, stop, term));
    const Mono next = pace.next(began, newest_);
    if (!wrote) source_.committed.wait(heard, kLook, stop);
    if (wrote) pause_for(std::chrono::ceil<milliseconds>(next - clock_.now()), stop);
  }
  return {};
}

Result<> Copy::look(Redis& redis, const std::stop_token& stop, std::uint64_t term) {
  TRY(const MaybePosition found, read_position(redis, keys_));
  return accept(redis, found, stop, term);
}

// Makes at_ what was found, or what can be gone on from.
Result<> Copy::accept(Redis& redis, const MaybePosition& found, const std::stop_token& stop, std::uint64_t term) {
  if (found && found == at_) return {};
  const Deadline until(clock_, clock_.now() + kReading, stop);
  TRY(const Position state, position_of_state(feed_, until));
  if (found) TRYV(belongs_to(*found, state.cluster_id, keys_));
  bool usable = found.has_value();
  if (usable) {
    TRY(usable, is_of_this_history(*found, until));
    if (!usable) {
      kLog.error("the edge copy is of another history than this state; it is filled again",
                 {{"copy_release", found->release},
                  {"state_release", state.release},
                  {"copy_revision", found->revision},
                  {"state_revision", state.revision}});
    }
  } else if (reached_) {
    kLog.warn("the edge copy is gone; it is filled again", {{"prefix", keys_.prefix}});
  }
  if (!usable) {
    TRY(at_, fill(redis, keys_, feed_, found, term, clock_, stop));
    reached_ = at_;
    return {};
  }
  if (reached_ && found->release < reached_->release) {
    kLog.warn("the edge copy went back; what it lacks is written again",
              {{"release", found->release}, {"was", reached_->release}});
    status_.change([](ProjectionStatus& status) { ++status.went_back; });
  }
  at_ = *found;
  reached_ = at_;
  return {};
}

Result<bool> Copy::is_of_this_history(const Position& found, const Deadline& until) {
  TRY(Position state, position_of_state(feed_, until));
  if (found.release > state.release || found.revision > state.revision) {
    // Who led before may have written what this node has not in its file yet.
    if (!source_.catch_up()) return fail(Code::unavailable, "this node does not know yet what others have committed");
    TRY(state, position_of_state(feed_, until));
    if (found.release > state.release || found.revision > state.revision) return false;
  }
  TRY(const Position same, position_at(feed_, found.release, until));
  return same.release_revision == 0 || same.release_revision == found.release_revision;
}

Result<bool> Copy::write_next(Redis& redis, const std::stop_token& stop, std::uint64_t term) {
  TRY(const auto batch, feed_.read(after(at_), kBatch, {clock_, clock_.now() + kReading, stop}));
  newest_ = batch.newest.release;
  if (batch.releases.empty() && batch.revision <= at_.revision) {
    if (batch.revision == at_.revision) tell_written(batch);
    return false;
  }
  Position to = at_;
  to.release = batch.until.release;
  to.revision = std::max(to.revision, batch.revision);
  if (!batch.releases.empty()) to.release_revision = batch.releases.back().release->revision;
  TRY(const bool written, write(redis, batch, to));
  if (!written) {
    TRYV(look(redis, stop, term));
    return true;
  }
  at_ = to;
  reached_ = to;
  status_.change([](ProjectionStatus& status) { ++status.batches; });
  tell_written(batch);
  return true;
}

// False when the position is not at_.
Result<bool> Copy::write(Redis& redis, const state::FeedBatch& batch, const Position& to) {
  redis.add({"WATCH", keys_.position()});
  TRY(const MaybePosition found, read_position(redis, keys_));
  if (found != at_) return false;
  redis.begin();
  std::unordered_map<std::string_view, const Release*> newest;
  for (const state::FeedRelease& each : batch.releases)
    newest[each.release->key_text] = each.release.get();
  for (const auto& [key, release] : newest)
    add_release(redis, keys_, *release);
  for (const state::FeedRelease& each : batch.releases)
    add_message(redis, keys_, *each.release);
  add_write_position(redis, keys_, to);
  return redis.commit();
}

void Copy::tell_written(const state::FeedBatch& batch) {
  if (batch.all()) return status_.wrote(at_.revision, 0, 0ms);
  const auto lag = clock_.wall() - batch.releases.back().release->time;
  status_.wrote(at_.revision, batch.newest.release - at_.release, std::max(lag, 0ms));
}

}  // namespace cc::edge
