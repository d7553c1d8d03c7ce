// What is in a state file that no node has open: counted, and read to the last row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "state/state.h"

namespace cc::state {

struct Contents {
  std::int64_t schema = 0;
  Position position;
  // Rows; configs are those that are published.
  std::uint64_t configs = 0, releases = 0, environments = 0, applications = 0, drafts = 0, users = 0, audit_records = 0;
  friend bool operator==(const Contents&, const Contents&);
};

// corruption when it is not a state, or of a newer version.
Result<Contents> contents_of(const Path& file);

// Reads everything: the structure of the file, and the content of each release against its checksum. Brings the file to
// the schema of this version. corruption names what is wrong.
Result<Contents> read_all_rows(const Path& file);

// What is published in it below a prefix of keys, or under that key; by key.
Result<std::vector<ReleasePtr>> configs_in(const Path& file, const std::string& prefix);

}  // namespace cc::state
