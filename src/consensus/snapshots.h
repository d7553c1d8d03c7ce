// Snapshots of the machine, each a file of the machine's own beside the log, written and read in pieces whatever its
// size. What libraft keeps in its own snapshot files, loads at start and sends to other nodes is a short reference to
// such a file: it would hold a whole snapshot in memory, twice, and none of 2 GiB.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "consensus/log.h"

namespace cc::consensus {

struct SnapshotReference {
  StateMachine::Applied applied;  // what the machine had applied
  std::uint64_t bytes = 0;        // of the file
  std::string sha256;             // of the file, 32 raw bytes

  std::string encode() const;
  // corruption when it is not what encode() made.
  static Result<SnapshotReference> decode(std::string_view bytes);
};

// The folder that the files are in. Lives as long as the log, across reopenings. Log thread only, but for write().
class Snapshots {
 public:
  Snapshots(const Path& log_folder, std::uint64_t min_free_disk);

  // At opening: makes the folder, removes what was not finished.
  Result<> prepare() const;

  // Whether one that takes so many bytes should be begun now: not soon after a failure, and not when the disk would
  // be full with it.
  bool may_begin(std::uint64_t bytes);
  // unavailable when the disk would be full with so many bytes more.
  Result<> room_for(std::uint64_t bytes) const;
  // Any thread, one at a time.
  Result<SnapshotReference> write(StateMachine::Snapshot& snapshot) const;
  void failed(const Error& why);  // not again for a while, longer each time
  void begin_anyway() { not_before_ = {}; }
  // libraft has the reference: files of neither this one nor the one before are removed.
  void done(const SnapshotReference& reference);
  // At opening libraft has this one.
  void found(const SnapshotReference& reference) { last_ = reference.applied.index; }

  // corruption when the file is missing or is not what was written. Any thread.
  Result<> verify(const Path& file, const SnapshotReference& reference) const;
  Path file(const SnapshotReference& reference) const { return file(reference.applied.index); }
  const Path& folder() const { return folder_; }
  // Where another node's file is put until it is whole; another one each time, removed at opening.
  Path file_to_fetch();

  std::uint64_t bytes_on_disk() const noexcept;

 private:
  Path file(Index index) const;

  const Path folder_;
  const std::uint64_t min_free_disk_;
  Index last_ = 0;             // of the newest that libraft has
  std::uint64_t fetches_ = 0;  // begun
  std::chrono::steady_clock::time_point not_before_{};
  std::chrono::seconds delay_;
};

}  // namespace cc::consensus
