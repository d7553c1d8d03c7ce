// The archive as a file of PostgreSQL's own pg_dump, and back from one by pg_restore: for backups, which hold it as
// they hold the state. Blocks; needs no node, and does no harm to one that writes meanwhile.
#pragma once

#include <memory>
#include <string>

#include "archive/archive.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/result.h"
#include "model/words.h"
#include "state/feed.h"

namespace cc::archive {

// How far an archive is, as its primary says.
struct Extent {
  std::string server;      // "10.0.0.11:5432"
  std::string cluster_id;  // empty: no node has begun one there
  Revision revision = 0;   // everything up to it is there
  state::FeedPosition at;
  bool has_rows = false;  // of releases or audit records
};
Result<Extent> extent_of(const Options& options, const Clock& clock);

// One state of it, held until it is dumped or forgotten: what is written meanwhile is not in the dump.
class HeldArchive {
 public:
  // unavailable when no node has begun an archive there.
  static Result<HeldArchive> hold(const Options& options, const Clock& clock);
  ~HeldArchive();
  HeldArchive(HeldArchive&&) noexcept;
  HeldArchive& operator=(HeldArchive&&) noexcept;

  const Extent& extent() const;

  // Makes `to`: the schema config_center with all that is in it, and nothing else; no owners, no grants. not_found,
  // with what to do, when there is no pg_dump on this machine; unavailable when it does not take that server.
  Result<> dump(const Path& to, const Deadline& until) const;

 private:
  struct Impl;
  explicit HeldArchive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Reads a dump to its end. not_found when there is no pg_restore on this machine; corruption when it is none, or
// damaged.
Result<> read_dump(const Path& dump, const Deadline& until);

struct BringBack {
  Path dump;
  std::string cluster_id;  // whose archive it must be
  bool replace = false;    // what is there is set aside, and not lost
};
struct BroughtBack {
  Extent extent;
  std::string set_aside;  // the schema of what was there before; empty: nothing was
};
// What bring_back() would refuse before it does anything: no pg_restore, no database, or one with an archive in it that
// is not to be replaced (already_exists).
Result<Extent> check_bring_back(const Options& options, bool replace, const Clock& clock);
// Brings the archive back, in one transaction. When that fails everything is as it was before; when this process ends
// in the middle of it, then the archive is there whole or not at all, and what was set aside stays in its schema. Nodes
// may run: they wait, and go on where the archive is then.
Result<BroughtBack> bring_back(const Options& options, const BringBack& how, const Clock& clock, const Deadline& until);

}  // namespace cc::archive
