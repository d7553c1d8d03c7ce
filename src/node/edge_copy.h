// The edge copy of this node, as its settings have it.
#pragma once

#include <memory>
#include <optional>

#include "base/bell.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "consensus/log.h"
#include "edge/edge.h"
#include "node/settings.h"

namespace cc::node {

// Where the settings say that Redis is; nothing when they name none. invalid_argument for a Sentinel that is no
// host:port.
Result<std::optional<edge::Servers>> redis_of(const Settings& settings);

// What is given by reference outlives it.
std::unique_ptr<edge::Edge> make_edge(const edge::Servers& redis, const Settings& settings, const Path& state_file,
                                      Bell& committed, consensus::Log& log, const Clock& clock);

}  // namespace cc::node
