// The backups of a storage: which there are, which of them are known to be good, and which may go.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backup/backup.h"
#include "backup/manifest.h"
#include "backup/storage.h"
#include "base/clock.h"
#include "base/result.h"

namespace cc::backup {

struct Kept {
  File file;
  std::uint64_t bytes = 0;
  std::optional<Manifest> manifest;  // none: it cannot be read, for this reason
  std::string trouble;
  bool foreign = false;          // it cannot be read, and is not damaged: of another key, or a newer version
  std::optional<Wall> verified;  // every row was read then, and it was good
  std::optional<Wall> restored;  // a node was made of it then, which answered
  bool good() const { return manifest.has_value() && verified.has_value(); }
};

// Those that have a backup's name, the newest first, what cannot be read last; none where nothing was put yet. Fails
// when the storage does not answer.
Result<std::vector<Kept>> list(const std::shared_ptr<Storage>& storage, std::string_view key);

// Notes beside the file that every row of it was verified; or also that a node was made of it. not_found when it is not
// there.
Result<> note_verified(const File& file, Wall now);
Result<> note_restored(const File& file, Wall now);

// Makes `to` of it, which must not be there, whole or not at all; its size.
Result<std::uint64_t> download(const File& file, const Path& to, const Progress& progress = {});

struct Retention {
  std::size_t max_backups = 7;
  std::chrono::milliseconds max_age{};
};
// Which of `all`, the newest first, may go. Only good ones count, and the newest of them stays, whatever the limits: at
// most so many are kept, and of those that are older than max_age only the newest, so that one can go back that far.
// What is not good goes once a newer one is good, unless it is foreign.
std::vector<Kept> to_remove(const std::vector<Kept>& all, const Retention& retention, Wall now);

// With what was noted beside it.
Result<> remove(const Kept& backup);

// Removes what is left of puts that were broken off long ago, and notes of files that are gone.
Result<> tidy(Storage& storage);

}  // namespace cc::backup
