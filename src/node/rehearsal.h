// The last level of looking at a backup: it is restored into a scratch folder, and a node of that alone starts and
// answers.
#pragma once

#include "backup/backup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "node/history_backup.h"
#include "node/settings.h"

namespace cc::node {

// Does what verify_backup() does, too. `scratch`: a folder on a disk with room for the state three times; the node
// takes as much memory as any. It reaches no other node, no database and no cache, and is reached from this machine
// alone.
Result<VerifiedBackup> rehearse(const Settings& settings, const backup::File& backup, const Path& scratch,
                                const Clock& clock, const backup::Progress& progress = {});

}  // namespace cc::node
