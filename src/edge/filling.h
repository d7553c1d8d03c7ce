// Fills a Redis that has no copy, or one of another history: everything that is published, then away with what is not,
// then the position. Readers find what is there meanwhile; that the position is absent tells them that it is not whole.
//
// Two may believe that they lead. Who fills puts a mark under `filling`, with its term, and writes nothing more once
// the mark is another's; a smaller term takes no mark away from a greater one.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "edge/keys.h"
#include "edge/position.h"
#include "edge/redis.h"
#include "state/feed.h"

namespace cc::edge {

// `found` is what the position was, and must still be. Returns what the position is now. `conflict` when another one
// fills, or has written meanwhile: look again. What is read of the state is held in pieces, never whole.
Result<Position> fill(Redis& redis, const Keys& keys, const state::Feed& feed, const MaybePosition& found,
                      std::uint64_t term, const Clock& clock, const std::stop_token& stop);

}  // namespace cc::edge
