// What the open transaction has done so far, beside what it has written. Read from the file when a transaction begins
// anew, so that rolling back is forgetting it.
#pragma once

#include <cstdint>

#include "state/database.h"
#include "state/state.h"

namespace cc::state {

// The rows of `answered` are first … last without gaps; first > last when there are none.
struct AnsweredRange {
  std::uint64_t first = 1, last = 0;
  Wall oldest{};  // time of the first
};

struct Batch {
  Position position;
  AnsweredRange answered;
  std::uint64_t last_release = 0;  // ids
  std::uint64_t last_audit = 0;
  Changes changes;
};

Position read_position(Database& database);
Batch read_batch(Database& database);
void write_position(Database& database, const Position& position);

}  // namespace cc::state
