// What a node loads into memory at its start.
#pragma once

#include <functional>

#include "state/database.h"
#include "state/state.h"

namespace cc::state {

void load_all_releases(Database& database, const std::function<void(ReleasePtr)>& each);
Result<Identity> load_all_identity(Database& database);

}  // namespace cc::state
