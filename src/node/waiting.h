// A node that has no cluster to serve yet: it listens, and tells whom it waits for.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "consensus/log.h"
#include "http/router.h"

namespace cc::node {

// Whom a node waits for, in words; `joins` as raft.join.
std::string waits_for(const consensus::Status& log, bool joins);

Error not_serving(const std::string& waits_for);

// /livez says 200, /readyz 503 with the reason, everything else is unavailable.
void add_waiting_routes(http::Router& router, const std::function<std::string()>& waits_for);

}  // namespace cc::node
