// A folder for as long as it takes, where a backup is made or looked at. What a process left behind that was killed is
// removed by the next one.
#pragma once

#include <functional>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace cc::backup {

// Gives `take` each folder in it that no process works in any more, and keeps everybody out of it meanwhile.
void each_abandoned(const Path& in, const std::function<void(const Path&)>& take);

// Movable.
class Scratch {
 public:
  static Result<Scratch> make(const Path& in);
  ~Scratch();
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})), lock_(std::exchange(other.lock_, -1)) {}
  Scratch& operator=(Scratch&&) = delete;

  const Path& path() const { return path_; }
  Path state() const { return path_ / "state.db"; }
  Path dump() const { return path_ / "archive.dump"; }
  Path packed() const { return path_ / "packed"; }

 private:
  Scratch(Path path, int lock) : path_(std::move(path)), lock_(lock) {}
  Path path_;
  int lock_;  // held on the folder: it is in use
};

}  // namespace cc::backup
