// Which schemas of the state file this version of the product knows.
#pragma once

#include <cstdint>

namespace cc::state {

// The one that it writes, and the newest that it reads.
std::int64_t newest_schema();

}  // namespace cc::state
