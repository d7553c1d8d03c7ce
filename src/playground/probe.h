// Whether a component is ready.
#pragma once

#include <sys/types.h>

#include "playground/component.h"

namespace cc::playground {

// Asks once. Blocks for half a second at most. `process`: who must be the one that says so.
bool is_ready(const Readiness& readiness, pid_t process);

}  // namespace cc::playground
