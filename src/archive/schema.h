// The schema of the archive (sql/archive/), and how far the archive is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "archive/connection.h"
#include "base/result.h"
#include "model/words.h"
#include "state/feed.h"

namespace cc::archive {

// Makes or migrates the schema, in one transaction; several nodes may do so at once. unavailable when it is of a newer
// product version.
Result<> migrate(Connection& connection);
// The version that is there, 0 when none is; refused as by migrate().
Result<std::uint64_t> schema_version(Connection& connection);

struct Position {
  std::string cluster_id;
  state::FeedPosition at;       // everything up to it is there
  state::FeedPosition written;  // the newest that ever was: beyond `at` while the archive is rebuilt
  Revision revision = 0;        // everything up to it is there
  bool rebuilding() const { return at.release < written.release || at.audit < written.audit; }
};
// None as long as no node has begun the archive.
std::optional<Position> read_position(Connection& connection);

}  // namespace cc::archive
