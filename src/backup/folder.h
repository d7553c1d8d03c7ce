// A folder of backups: which there are, which of them are known to be good, and which may go.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backup/backup.h"
#include "backup/manifest.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace cc::backup {

struct Kept {
  Path file;
  std::uint64_t bytes = 0;
  std::optional<Manifest> manifest;  // none: it cannot be read, for this reason
  std::string trouble;
  std::optional<Wall> verified;  // every row was read then, and it was good
  bool good() const { return manifest.has_value() && verified.has_value(); }
};

// Those that have a backup's name, the newest first, what cannot be read last. A folder that is not there has none.
Result<std::vector<Kept>> list(const Path& folder, std::string_view key);

// Notes beside the file that every row of it was verified.
Result<> note_verified(const Path& file, Wall now);

struct Retention {
  std::size_t max_backups = 7;
  std::chrono::milliseconds max_age{};
};
// Which of `all`, the newest first, may go. Only good ones count, and the newest of them stays, whatever the limits: at
// most so many are kept, and of those that are older than max_age only the newest, so that one can go back that far.
// What is not good goes once a newer one is good.
std::vector<Kept> to_remove(const std::vector<Kept>& all, const Retention& retention, Wall now);

// With what was noted beside it.
Result<> remove(const Kept& backup);

}  // namespace cc::backup
