// Backups by the clock: what the leader does about backup.schedule, and how that goes.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "backup/kept.h"
#include "backup/storage.h"
#include "base/clock.h"
#include "base/file.h"
#include "node/settings.h"

namespace cc::node {

// Where backups are kept, as backup.storage says: in a folder, that is backups under data_dir unless it has a path. An
// object store's credentials that are not set are those that its own programs find in the environment.
Result<std::shared_ptr<backup::Storage>> open_storage(const Settings& settings, const Clock& clock,
                                                      const std::stop_token& stop = {});
// What a person calls a backup: a file; or one of the storage, by its name or as `backup list` shows it.
Result<backup::File> find_backup(const Settings& settings, const std::string& name, const Clock& clock);
backup::Retention retention_of(const Settings& settings);

class Backups {
 public:
  Backups(const Settings& settings, const Path& state, const Clock& clock);

  // A job of the leader's: makes one when it is time, verifies every row of it, now and then sees a node start that is
  // restored from it, and removes those that may go. What was missed is made up for once; what becomes due while one is
  // made is left out, and said. What fails is tried again.
  void run(const std::stop_token& stop);

  // Since the node's start, and of what lies in the storage. Any thread.
  struct Status {
    std::optional<Wall> success, attempt, verified;  // the last
    std::uint64_t bytes = 0;                         // of the last good one
    std::chrono::milliseconds took{};
    std::uint64_t successes = 0, failures = 0;
  };
  Status status() const;

 private:
  using Storage = std::shared_ptr<backup::Storage>;
  Result<> make(const Storage& storage, const std::stop_token& stop);
  Result<std::vector<backup::Kept>> look(const Storage& storage);
  void rehearse_now_and_then(const std::vector<backup::Kept>& all);
  void tidy(const Storage& storage);

  const Settings& settings_;
  const Path state_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Status status_;  // guarded by mutex_
};

}  // namespace cc::node
