// The whole state as a file: a copy of the SQLite database as it was when the snapshot was begun.
#pragma once

#include <memory>

#include "base/file.h"
#include "base/result.h"
#include "state/state.h"

namespace cc::state {

// Holds what is committed now, on a connection of its own, until it is written or forgotten.
Result<std::unique_ptr<State::Snapshot>> hold_snapshot(const Path& file);

}  // namespace cc::state
