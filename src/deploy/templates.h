// Topologies to begin with: examples/topologies, as they stand in the program.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace cc::deploy {

// {"full.yaml", its text}, …
std::span<const std::pair<std::string_view, std::string_view>> topology_templates();
// "single", "three", "full"; not_found that names them all.
Result<std::string_view> topology_template(std::string_view name);

}  // namespace cc::deploy
