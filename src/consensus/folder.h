// The folder of the log: whose it is, what is in it, and whether libraft may be let into it.
#pragma once

#include <cstdint>
#include <utility>

#include "base/file.h"
#include "base/result.h"
#include "consensus/log.h"

namespace cc::consensus {

// Held by one process at a time. Movable.
class Folder {
 public:
  // Creates the folder when it is absent, locks it, and makes it the folder of `node` for good.
  // conflict when another process has it or it is another node's.
  static Result<Folder> open(const Path& path, NodeId node);
  ~Folder();
  Folder(Folder&& other) noexcept : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}
  Folder& operator=(Folder&&) = delete;

  const Path& path() const { return path_; }

  // Mends what a crash left behind. Answers whether a log is there; corruption when it lacks its beginning.
  Result<bool> prepare() const;

  std::uint64_t log_bytes() const noexcept;  // on disk, without the snapshots

 private:
  Folder(Path path, int lock) : path_(std::move(path)), lock_(lock) {}
  Path path_;
  int lock_;  // file descriptor
};

}  // namespace cc::consensus
