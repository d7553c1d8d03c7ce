// The data of the nodes when another release comes, and when the one before comes back: a backup before each upgrade,
// and all nodes restored from one of them.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "deploy/release.h"
#include "deploy/run.h"
#include "deploy/step.h"

namespace cc::deploy {

// A sealed and verified backup of each running node's state, on its own host: of its data folder, by the release that
// runs. Only the newest few are kept.
Stage backup_stage(const Topology& topology, const Run& run);

// One that lies on a node's host.
struct KeptBackup {
  std::string host;
  std::string file;
  std::string name;  // "20261128T031500Z-r1042"
  std::uint64_t revision = 0;
  bool of_another = false;  // installation: what clients have seen has nothing to do with it
};
// That a run has left, from the host where it is newest. not_found when no host has one.
Result<KeptBackup> find_backup(const Hosts& hosts, std::uint64_t run);

// A file of the operator's, put to a node's host for that run, and verified there to its last row: with the node's key.
Result<KeptBackup> bring_backup(const Hosts& hosts, const Path& file, std::uint64_t run);

// One of all data as they are now, made and verified on a node that runs: the leader, which lacks nothing, or another
// where that cannot be. It is brought into the operator's folder, sealed, under its name; already_exists when it is
// there.
struct TakenBackup {
  KeptBackup backup;
  Path file;
};
Result<TakenBackup> take_backup(const Hosts& hosts, const Path& folder);

// What was changed since, in words, as the host of the backup sees it.
Result<std::string> changed_since(const Hosts& hosts, const KeptBackup& backup);

// All nodes stop, what was changed since the backup is noted where most of it is known, and each is restored; from the
// backup of another installation all configs come anew. These go before the configuration is brought back, and before
// the nodes start: `before` and `after` it. They make a new group, of all nodes that there are: none of them has to
// join it. `work`: a folder on the operator's side, for as long as it takes.
struct RestoreStages {
  Stages before, after;
};
RestoreStages stages_to_restore(const Topology& topology, const KeptBackup& backup, const Release& target,
                                const Run& run, const Path& work);

}  // namespace cc::deploy
