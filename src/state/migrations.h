// The schema of the state file, in numbered steps (sql/state/NNNN_name.sql, embedded).
#pragma once

#include "base/file.h"
#include "base/result.h"
#include "state/database.h"

namespace cc::state {

// Brings the schema up to date, each step in a transaction of its own. corruption when the file is not a state, or of
// a newer product version.
Result<> migrate(Database& database, const Path& file);

}  // namespace cc::state
