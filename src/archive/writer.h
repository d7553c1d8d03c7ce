// Writes one batch of the feed into the archive.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "archive/connection.h"
#include "archive/schema.h"
#include "state/feed.h"

namespace cc::archive {

class Writer {
 public:
  // One transaction, which also moves the position from `from` to the end of the batch, and returns that. None, and
  // nothing is written, when the position is not `from` any more: somebody else has moved on. Throws.
  std::optional<Position> write(Connection& connection, const Position& from, const state::FeedBatch& batch);

 private:
  void make_partitions(Connection& connection, const std::vector<AuditRecord>& audits);

  std::set<std::string> partitions_;  // that are known to be there
};

}  // namespace cc::archive
