// Backups of a node's data folder, and a data folder made of a backup: without the node, which may run while its state
// is copied or compared, and is stopped when it is restored.
#pragma once

#include <optional>
#include <string>

#include "backup/backup.h"
#include "base/clock.h"
#include "base/result.h"
#include "node/data_folder.h"
#include "node/history_backup.h"
#include "node/settings.h"
#include "state/restoring.h"

namespace cc::node {

// How the folders begin, in the data folder, to which a restore has moved the data that were there.
inline constexpr std::string_view kSetAside = "before-restore-";

// Where the node's state is; not_found when there is none.
Result<Path> state_of(const Settings& settings);

// The key that backups of this installation are sealed with: as it is set, or as the node made it. Makes none; empty
// when there is none here.
Result<std::string> sealing_key(Settings settings);

// Of the state in the node's data folder; see backup::create(). not_found when there is none.
Result<backup::Created> back_up(const Settings& settings, const Path& to, bool sealed, const Clock& clock,
                                const backup::Progress& progress = {});
// The same into the storage that the settings name.
Result<backup::Created> back_up_to_storage(const Settings& settings, bool sealed, const Clock& clock,
                                           const backup::Progress& progress = {},
                                           const backup::Progress& uploading = {});

// What the node's state has and the backup has not: what would be lost.
Result<state::Since> changed_since_backup(const Settings& settings, const backup::File& backup, const Clock& clock);

struct Restore {
  backup::File backup;
  state::Restoring::Seen seen = state::Restoring::Seen::unknown;
  state::Since since = {};
  bool replace = false;  // what is in the data folder, and in the archive, is set aside, and not lost
  // The history that the backup has comes back, too, into the archive that the settings name: with one of the nodes.
  bool with_archive = false;
};
struct Restored {
  backup::Manifest manifest;
  state::Position position;  // the revision that the node will be at
  Path aside;                // where the data are that were there before; empty when there were none
  std::optional<BroughtHistory> history;
};
// All founders of the group (raft.peers; alone, the node itself) restore the same backup, with the same Restore, before
// the first of them is started. Until the last moment nothing in the folder changes; then a crash leaves the old data
// or the new. already_exists when there are data and they are not to be replaced; conflict while a process has them.
//
// The archive comes back, whole or not at all, before that last moment: when it does not, nothing has changed.
Result<Restored> restore_data(const Settings& settings, const Restore& how, const Clock& clock,
                              const backup::Progress& progress = {});

// Before anything is read in the folder: a restore that was decided is finished, one that was not is forgotten.
Result<> finish_restore(const DataFolder& folder);

}  // namespace cc::node
