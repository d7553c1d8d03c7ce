// One entry of the log, in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "consensus/log.h"
#include "consensus/members.h"

namespace cc::consensus {

// As they are numbered on disk.
enum class EntryKind : std::uint16_t { command = 1, barrier = 2, members = 3 };

// Copies share the bytes.
struct Entry {
  Term term = 0;
  EntryKind kind = EntryKind::command;
  std::string_view bytes;  // a multiple of eight long
  std::shared_ptr<const void> owner;
};

// What a snapshot stands for: everything up to an index.
struct SnapshotPoint {
  Index index = 0;
  Term term = 0;
  Members members;  // of the newest entry up to `index` that says so, which is at members_index
  Index members_index = 0;
};

}  // namespace cc::consensus
