// The folder of the log: whose it is, what is in it, and whether libraft may be let into it.
#pragma once

#include <cstdint>
#include <utility>

#include "base/file.h"
#include "base/result.h"
#include "consensus/log.h"

namespace cc::consensus {

// One process at a time: whoever opens the log sees to it.
class Folder {
 public:
  // Creates the folder when it is absent, and makes it the folder of `node` for good. conflict when it is another
  // node's.
  static Result<Folder> open(const Path& path, NodeId node);

  const Path& path() const { return path_; }

  // Mends what a crash left behind. Answers whether a log is there; corruption when it lacks its beginning.
  Result<bool> prepare() const;

  std::uint64_t log_bytes() const noexcept;  // on disk, without the snapshots

 private:
  explicit Folder(Path path) : path_(std::move(path)) {}
  Path path_;
};

}  // namespace cc::consensus
