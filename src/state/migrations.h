// The schema of the state file, in numbered steps (sql/state/NNNN_name.sql, embedded).
#pragma once

#include <cstdint>

#include "base/file.h"
#include "base/result.h"
#include "state/database.h"

namespace cc::state {

// What the schema is numbered that this version of the product writes, and the newest that it reads.
std::int64_t newest_schema();

// Brings the schema up to date, each step in a transaction of its own. corruption when the file is not a state, or of
// a newer product version.
Result<> migrate(Database& database, const Path& file);

}  // namespace cc::state
