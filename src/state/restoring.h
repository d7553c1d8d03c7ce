// A state as it was once becomes the state of a cluster again, and nobody who saw what came after it is deceived: the
// revision goes on above everything that was seen, versions are not given out twice, and what differs from what was
// seen comes as new releases. So each watcher notices, and gets the differences.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "state/state.h"

namespace cc::state {

// What a later state of the same cluster has, and an earlier one has not.
struct Since {
  std::string cluster_id;
  Revision from = 0;  // of the earlier one
  Wall found{};       // when the two were compared
  // Of the later one: the entry of the log that it has applied, its revision, the ids of its newest rows.
  Index applied = 0;
  Revision revision = 0;
  std::uint64_t last_release = 0, last_audit = 0;
  struct Config {
    std::string key;
    Version version = 0;
    bool deleted = false;
    std::string author;
    Wall time{};
  };
  std::vector<Config> configs;  // published or deleted since, by key
  struct Other {
    std::string action, target, actor;
    Wall time{};
  };
  std::vector<Other> others;  // what else was changed: users, environments, drafts, …; oldest first
};

// `file`: the later state, of a node that runs or not. conflict when the two are of different clusters, or it is the
// earlier one that is newer.
Result<Since> changed_since(const Path& file, const Position& earlier, Wall now);

struct Restoring {
  // What clients may have seen.
  enum class Seen {
    nothing_newer,  // the state stays as it is
    since,          // this much
    unknown,        // so all configs come anew, and numbers go on far above
  };
  Seen seen = Seen::unknown;
  Since since = {};
  std::string what;  // is restored, as releases and the audit record say it
  Wall made{};       // when it was
};
// Makes the state in `file`, which nobody has open, one that a new log begins with: its position is where that begins,
// above every entry of the log that it was of. The same on all nodes, given the same. All sessions end when something
// newer may have been seen. conflict when `since` was found for another state.
Result<Position> restore_state(const Path& file, const Restoring& how);

}  // namespace cc::state
