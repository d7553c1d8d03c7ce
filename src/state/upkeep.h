// What keeps a state's file small and quick to ask over the years, while its node goes on.
#pragma once

#include <cstdint>
#include <stop_token>

#include "base/file.h"
#include "base/result.h"

namespace cc::state {

struct Room {
  std::uint64_t bytes = 0;     // of the file
  std::uint64_t unused = 0;    // of these: what was forgotten left them, and what comes takes them
  bool can_give_back = false;  // the file was made so
  bool much() const;           // unused: so much that it is given back
};
Result<Room> room_in(const Path& file);

// Looks at a sample of each index, by which SQLite chooses between them; and when much of the file is unused gives it
// back to the disk, a little at a time: a commit waits for milliseconds. Returns how it is then. Ends early when it is
// asked to.
Result<Room> keep_up(const Path& file, const std::stop_token& stop);

}  // namespace cc::state
