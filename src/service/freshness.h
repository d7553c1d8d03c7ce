// How new what a read tells must be. Who does not say reads what this node has, at once: mostly all there is, and
// never less than what was acknowledged by this node.
#pragma once

#include <chrono>

#include "base/result.h"
#include "base/task.h"
#include "model/words.h"
#include "service/context.h"

namespace cc::service {

struct Freshness {
  bool strong = false;        // everything that any node has acknowledged before the request
  Revision min_revision = 0;  // everything up to here: what the client has been told, perhaps by another node
  bool asked() const { return strong || min_revision != 0; }
};

// A node that is so far behind has more to catch up with than a client waits for.
constexpr std::chrono::seconds kLongestCatchingUp{10};

// Waits until this I/O thread has it, at most until the deadline. unavailable when no leader could be asked in time;
// timeout, with the revision that the node has, when min_revision does not come within kLongestCatchingUp.
Task<Result<>> await_fresh(Context& context, SessionPtr session, Mono deadline, Freshness wanted);

}  // namespace cc::service
