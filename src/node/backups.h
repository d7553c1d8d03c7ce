// Backups by the clock: what the leader does about backup.schedule, and how that goes.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "backup/folder.h"
#include "base/clock.h"
#include "base/file.h"
#include "node/settings.h"

namespace cc::node {

// Where backups are kept: backup.storage.path, or backups under data_dir.
Path backups_folder(const Settings& settings);
backup::Retention retention_of(const Settings& settings);

class Backups {
 public:
  Backups(const Settings& settings, const Path& state, const Clock& clock);

  // A job of the leader's: makes one when it is time, verifies every row of it, and removes those that may go. What was
  // missed is made up for once; what becomes due while one is made is left out, and said. What fails is tried again.
  void run(const std::stop_token& stop);

  // Since the node's start, and of what lies in the folder. Any thread.
  struct Status {
    std::optional<Wall> success, attempt, verified;  // the last
    std::uint64_t bytes = 0;                         // of the last good one
    std::chrono::milliseconds took{};
    std::uint64_t successes = 0, failures = 0;
  };
  Status status() const;

 private:
  Result<> make();
  Result<std::vector<backup::Kept>> look();
  void tidy();

  const Settings& settings_;
  const Path state_, folder_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Status status_;  // guarded by mutex_
};

}  // namespace cc::node
