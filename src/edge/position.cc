#include "edge/position.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace cc::edge {
namespace {

// Beyond all audit records, so that none is read.
constexpr std::uint64_t kNoAudits = std::numeric_limits<std::int64_t>::max();

}  // namespace

void add_read_position(Redis& redis, const Keys& keys) {
  redis.add({"HMGET", keys.position(), "cluster_id", "release", "release_revision", "revision"});
}

Result<MaybePosition> position_of(const Reply& reply, const Keys& keys) {
  if (reply.kind == Reply::Kind::error)
    return fail(Code::unavailable, fmt::format("{}: {}", keys.position(), printable(reply.text, 300)));
  const auto& items = reply.items;
  if (items.size() != 4) return fail(Code::internal, "Redis answers something else than was asked");
  if (items[0].kind == Reply::Kind::nothing) return std::nullopt;
  const auto release = parse_uint(items[1].text, "release"), made = parse_uint(items[2].text, "release_revision"),
             revision = parse_uint(items[3].text, "revision");
  // What cannot be read was not written by us, or not whole: filling puts it right.
  if (!release || !made || !revision) return std::nullopt;
  return Position{.cluster_id = items[0].text, .release = *release, .release_revision = *made, .revision = *revision};
}

Result<MaybePosition> read_position(Redis& redis, const Keys& keys) {
  add_read_position(redis, keys);
  TRY(const auto replies, redis.exchange());
  return position_of(replies.back(), keys);
}

void add_write_position(Redis& redis, const Keys& keys, const Position& position) {
  redis.add({"HSET", keys.position(), "cluster_id", position.cluster_id, "release", std::to_string(position.release),
             "release_revision", std::to_string(position.release_revision), "revision",
             std::to_string(position.revision)});
}

Result<Position> position_of_state(const state::Feed& feed, const Deadline& until) {
  TRY(const auto newest, feed.newest(until));
  return Position{.cluster_id = newest.cluster_id, .release = newest.at.release, .revision = newest.revision};
}

Result<Position> position_at(const state::Feed& feed, std::uint64_t release, const Deadline& until) {
  const std::uint64_t before = release - std::min<std::uint64_t>(release, 1);
  TRY(const auto batch, feed.read({.release = before, .audit = kNoAudits}, {.releases = 1}, until));
  Position position{.cluster_id = batch.cluster_id, .release = release};
  if (!batch.releases.empty() && batch.releases.front().id == release)
    position.release_revision = batch.releases.front().release->revision;
  return position;
}

state::FeedPosition after(const Position& position) {
  return {.release = position.release, .audit = kNoAudits};
}

Result<> belongs_to(const Position& position, const std::string& cluster_id, const Keys& keys) {
  if (position.cluster_id == cluster_id) return {};
  return fail(Code::permission_denied,
              fmt::format("under {} is the copy of another cluster, {} (this one is {}), and nothing is written there: "
                          "give this one a cache.key_prefix of its own, or delete all keys under that one",
                          keys.prefix, printable(position.cluster_id, 100), cluster_id));
}

}  // namespace cc::edge
