// Applies one command: finds an earlier answer, dispatches, leaves the audit record of a refusal, remembers the
// outcome.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "state/state.h"
#include "state/tip.h"

namespace cc::state {

// The encoded outcome. An Error is no refusal: the command cannot be applied by this version, or not be read.
Result<std::string> apply_command(Database& database, Tip& tip, const Options& options, std::string_view command);

}  // namespace cc::state
