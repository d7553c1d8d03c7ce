// Reading and adding rows of config, release and draft.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "model/words.h"
#include "state/applying.h"
#include "state/current.h"
#include "state/database.h"

namespace cc::state {

// None when the config never was.
std::optional<Current> find_current(Applying& at, const std::string& key);

// Columns of `release AS r`, as read_release() reads them from column `first` on.
#define CC_RELEASE_COLUMNS                                                                               \
  "r.version, r.revision, r.deleted, r.format, r.secret, r.md5, r.sha256, r.author, r.comment, r.time, " \
  "r.rolled_back_from, r.content"
constexpr int kReleaseColumns = 12;
ReleasePtr read_release(const Rows& rows, int first, std::string key);

// One that has nothing but its key.
Release release_of(const log::Key& key);

// Writes the release (or the tombstone) that follows `before`, and tells the batch and the outcome. `release` holds
// key, key_text, deleted, format, secret, content, checksums, comment and rolled_back_from; the rest is filled in here.
void add_release(Applying& at, const std::optional<Current>& before, Release release);

bool published(const std::optional<Current>& current);
// {"version":…,"revision":…,"format":…,"size":…,"md5":…,"sha256":…}, with "secret":true of a
// secret one; "" for a config that is not there.
std::string describe(const std::optional<Current>& current);

// Refuses with conflict when the config is not as the writer had seen it. `revision` is 0 when there is none.
Result<> check_expected(const log::Expected& expected, std::string_view what, const std::string& key,
                        Revision revision);

}  // namespace cc::state
