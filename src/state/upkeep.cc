#include "state/upkeep.h"

#include <chrono>

#include <sqlite3.h>

#include "base/pause.h"
#include "state/connections.h"
#include "state/database.h"

namespace cc::state {
namespace {

constexpr std::uint64_t kLeast = 16u << 20;  // is not worth the writing
constexpr std::uint64_t kAFew = 256;         // pages: are left for what comes next
constexpr auto kPause = std::chrono::milliseconds(10);

Room ask_for_room(Database& database) {
  const std::uint64_t page = database.number("PRAGMA page_size");
  return {.bytes = database.number("PRAGMA page_count") * page,
          .unused = database.number("PRAGMA freelist_count") * page,
          .can_give_back = database.number("PRAGMA auto_vacuum") != 0};
}

}  // namespace

bool Room::much() const {
  return unused >= kLeast && unused >= bytes / 4;
}

Result<Room> room_in(const Path& file) {
  return guarded(file, [&]() -> Result<Room> {
    const auto database = open_reader(file);
    return ask_for_room(*database);
  });
}

Result<Room> keep_up(const Path& file, const std::stop_token& stop) {
  return guarded(file, [&]() -> Result<Room> {
    Database database(file, Database::Access::write);
    database.execute("PRAGMA analysis_limit = 400; ANALYZE");
    if (const Room room = ask_for_room(database); !room.much() || !room.can_give_back) return room;
    while (database.number("PRAGMA freelist_count") > kAFew && !stop.stop_requested()) {
      database.execute("PRAGMA incremental_vacuum(64)");
      // The write-ahead log begins anew as it does after commits; of this connection's pages too.
      sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
      pause_for(kPause, stop);
    }
    return ask_for_room(database);
  });
}

}  // namespace cc::state
