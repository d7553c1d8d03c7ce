// Reading rows of draft.
#pragma once

#include <optional>
#include <string>

#include "model/words.h"
#include "state/database.h"

namespace cc::state {

// With its content.
std::optional<Draft> find_draft(Database& database, const std::string& key);

}  // namespace cc::state
