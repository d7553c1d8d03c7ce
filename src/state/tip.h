// The tip of the state: what applying the next command needs to know beside the rows. It goes along from one
// transaction to the next; after rolling back it is read from the file again.
#pragma once

#include <cstdint>

#include "state/answered.h"
#include "state/archived.h"
#include "state/current.h"
#include "state/database.h"
#include "state/state.h"

namespace cc::state {

Archived read_archived(Database& database);

// The oldest and the newest of rows that are numbered without gaps; first > last when there is none.
struct Numbers {
  std::uint64_t first = 1, last = 0;
  std::uint64_t count() const { return last + 1 - first; }
};

struct Tip {
  Position position;
  Archived archived;
  std::uint64_t last_release = 0;  // ids
  std::uint64_t last_audit = 0;
  Numbers changes_audited, attempts_audited;
  Answered answered;
  LatelyUsed configs;
  Changes changes;  // since State::take_changes()
};

Position read_position(Database& database);
void write_position(Database& database, const Position& position);
Tip read_tip(Database& database);

}  // namespace cc::state
