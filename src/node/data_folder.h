// The folder that a node keeps everything in, held by one process at a time: whoever has it may read, migrate, repair
// and replace what is in it, and nobody else looks.
#pragma once

#include <chrono>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace cc::node {

// Movable. What works in the folder ends before it.
class DataFolder {
 public:
  // Creates the folder, closed to others, when it is absent, and locks it; waits so long for a process that has it,
  // such as one that was killed a moment ago. conflict, with that process, when it goes on having it; unavailable when
  // the folder cannot be created or written to.
  static Result<DataFolder> open(const Path& path, std::chrono::milliseconds patience = {});
  ~DataFolder();
  DataFolder(DataFolder&& other) noexcept : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}
  DataFolder& operator=(DataFolder&&) = delete;

  const Path& path() const { return path_; }

 private:
  DataFolder(Path path, int lock) : path_(std::move(path)), lock_(lock) {}
  Path path_;
  int lock_;  // file descriptor
};

}  // namespace cc::node
