// How far the copy is, as it stands in Redis beside it and changes with it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "edge/keys.h"
#include "edge/redis.h"
#include "model/words.h"
#include "state/feed.h"

namespace cc::edge {

struct Position {
  std::string cluster_id;
  std::uint64_t release = 0;      // the newest that is there, by its number in the feed
  Revision release_revision = 0;  // which it was made with: the same number in another history has another
  Revision revision = 0;          // everything up to it is there
  bool operator==(const Position&) const = default;
};

// Nothing: there is no copy, or it is not whole.
using MaybePosition = std::optional<Position>;

// The command that asks for it, and what is answered.
void add_read_position(Redis& redis, const Keys& keys);
Result<MaybePosition> position_of(const Reply& reply, const Keys& keys);
// Both, after what was added before.
Result<MaybePosition> read_position(Redis& redis, const Keys& keys);
void add_write_position(Redis& redis, const Keys& keys, const Position& position);

// What the state has: its newest release, and its revision.
Result<Position> position_of_state(const state::Feed& feed, const Deadline& until);
// Of that release, which the state has had; without a revision of the state's, and of the release when it is forgotten.
Result<Position> position_at(const state::Feed& feed, std::uint64_t release, const Deadline& until);
// What follows, to be read with state::Feed; audit records are not copied.
state::FeedPosition after(const Position& position);

// permission_denied, with what to do, when the copy is one of another cluster.
Result<> belongs_to(const Position& position, const std::string& cluster_id, const Keys& keys);

}  // namespace cc::edge
