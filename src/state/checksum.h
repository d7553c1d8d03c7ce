// One number for everything in a state, to hold nodes against each other.
#pragma once

#include <string>

#include "state/database.h"

namespace cc::state {

// SHA-256, hex, over all rows of all tables in order of their keys. requires: a transaction is open
std::string checksum_of(Database& database);

}  // namespace cc::state
