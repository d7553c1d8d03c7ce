// The history in the archive, as backups have it: what they say of it or hold of it, and how it comes back. In the
// database that the settings name; nodes may run, and need not.
#pragma once

#include <stop_token>
#include <string>

#include "archive/archive.h"
#include "backup/backup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "node/settings.h"

namespace cc::node {

// requires: an archive is configured (database.host)
archive::Options archive_options(const Settings& settings);

// What a backup of the state in that file is made of, and what it is to do about the history, as backup.archive says:
// nothing where no archive is configured. Referenced, that the archive cannot be asked is said in the manifest, and is
// no error. Included, one state of it is held from here on, no later than the state that is backed up, so that a node
// that is restored has all that is missing in it. The clock outlives what is returned.
Result<backup::Source> source_of(const Settings& settings, const Path& state, const Clock& clock,
                                 const std::stop_token& stop = {});

// A backup that was looked at.
struct VerifiedBackup {
  backup::Manifest manifest;
  std::string unread;  // why nobody has read the dump of the archive in it to its end; "" else
};
// As backup::verify(); with Level::rows pg_restore reads the dump of the archive, where both are there.
Result<VerifiedBackup> verify_backup(const backup::File& file, std::string_view key, backup::Level level,
                                     const Path& scratch, const Clock& clock, const backup::Progress& progress = {},
                                     const std::stop_token& stop = {});

// How far the archive is now that belongs to a backup of this cluster.
struct HistoryNow {
  std::string where;    // "10.0.0.11:5432/config_center"
  std::string trouble;  // it cannot be asked, or is of no use: for this reason; "" else
  Revision revision = 0;
  bool has_rows = false;
};
// requires: an archive is configured
HistoryNow history_now(const Settings& settings, const std::string& cluster_id, const Clock& clock);

struct BroughtHistory {
  std::string where;
  Revision revision = 0;
  std::string set_aside;  // the schema with what was there before; "" when there was nothing
};
// What bring_history() and restore_history() would refuse before anything is changed.
Result<> check_history(const Settings& settings, const backup::Manifest& manifest, bool replace, const Clock& clock);
// Brings the history back out of a dump that was taken out of the backup with this manifest; see archive::bring_back().
Result<BroughtHistory> bring_history(const Settings& settings, const backup::Manifest& manifest, const Path& dump,
                                     bool replace, const Clock& clock);
// The same, out of the backup; the state in it is left where it is.
Result<BroughtHistory> restore_history(const Settings& settings, const backup::File& file, bool replace,
                                       const Clock& clock, const backup::Progress& progress = {});

}  // namespace cc::node
