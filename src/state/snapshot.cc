#include "state/snapshot.h"

#include <sqlite3.h>

#include "base/background.h"
#include "state/connections.h"
#include "state/database.h"
#include "state/tip.h"

namespace cc::state {
namespace {

constexpr int kPagesAtOnce = 256;  // a megabyte

class HeldSnapshot final : public State::Snapshot {
 public:
  HeldSnapshot(Path file, std::unique_ptr<Database> database) : file_(std::move(file)), database_(std::move(database)) {
    database_->execute("BEGIN");
    position_ = read_position(*database_);  // the first question is what begins to hold the state
    bytes_ = database_->number("PRAGMA page_count") * database_->number("PRAGMA page_size");
  }

  const Position& position() const override { return position_; }
  std::uint64_t bytes() const override { return bytes_; }

  // Page by page, within the read transaction that holds the state: later commits do not show.
  Result<> write(const Path& file) override {
    if (!database_) return fail(Code::internal, "the snapshot was written already");
    const auto source = std::move(database_);
    return guarded(file, [&]() -> Result<> {
      SQLite::Database copy(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX);
      copy.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");  // a crash leaves a file that nobody refers to
      sqlite3_backup* const backup = sqlite3_backup_init(copy.getHandle(), "main", source->handle(), "main");
      if (backup == nullptr) throw SQLite::Exception(copy.getHandle());
      int outcome = SQLITE_OK;
      Result<> out;
      while (outcome == SQLITE_OK && out) {
        outcome = sqlite3_backup_step(backup, kPagesAtOnce);
        out = write_out(file);
        give_way();
      }
      sqlite3_backup_finish(backup);
      if (outcome != SQLITE_DONE && out) throw SQLite::Exception(sqlite3_errstr(outcome), outcome);
      return out;
    });
  }

 private:
  Path file_;
  std::unique_ptr<Database> database_;  // null once written
  Position position_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<State::Snapshot>> hold_snapshot(const Path& file) {
  return guarded(file, [&]() -> Result<std::unique_ptr<State::Snapshot>> {
    return std::make_unique<HeldSnapshot>(file, open_reader(file));
  });
}

}  // namespace cc::state
