// Puts a copy of another SQLite file in the place of the state, so that a crash at any moment leaves the old state or
// the new:
//
//   1. the copy is made as <file>.incoming and synced              a crash: the old state; .incoming is removed
//   2. .incoming is verified, then renamed to <file>.restored      this rename decides
//   3. <file>-wal and -shm, which are the old state's, are removed  a crash: finished at the next start
//   4. .restored is renamed to <file>
#pragma once

#include "base/file.h"
#include "base/result.h"

namespace cc::state {

// Steps 1 and 2. corruption when the other file is not a sound state; nothing has changed then.
Result<> prepare_replacement(const Path& file, const Path& other);
// Steps 3 and 4. requires: no connection of this process writes to the file.
Result<> put_replacement_in_place(const Path& file);
// At start: finishes what was decided, removes what was not.
Result<> finish_replacement(const Path& file);

}  // namespace cc::state
