// Reading and adding rows of config, release and draft.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "model/words.h"
#include "state/applying.h"
#include "state/database.h"

namespace cc::state {

// The newest release of a config, or its tombstone, without content.
struct Current {
  std::uint64_t number = 0;  // config.number
  Version version = 0;
  Revision revision = 0;
  bool deleted = false;
  std::string format, md5, sha256;
  std::uint64_t size = 0;
};
std::optional<Current> find_current(Database& database, const std::string& key);

// Columns of `release AS r`, as read_release() reads them from column `first` on.
#define CC_RELEASE_COLUMNS                                                                                         \
  "r.version, r.revision, r.deleted, r.format, r.md5, r.sha256, r.author, r.comment, r.time, r.rolled_back_from, " \
  "r.content"
ReleasePtr read_release(const Rows& rows, int first, std::string key);

// Writes the release (or the tombstone) that follows `before`, and tells the batch and the outcome. `release` holds
// key, deleted, format, content, checksums, comment and rolled_back_from; the rest is filled in here.
void add_release(Applying& at, const std::optional<Current>& before, Release release);

bool published(const std::optional<Current>& current);
// {"version":…,"revision":…,"format":…,"size":…,"md5":…,"sha256":…}; "" for a config that is not there.
std::string describe(const std::optional<Current>& current);

// Refuses with conflict when the config is not as the writer had seen it. `revision` is 0 when there is none.
Result<> check_expected(const log::Expected& expected, std::string_view what, const std::string& key,
                        Revision revision);

}  // namespace cc::state
