#include "state/state.h"

#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/bytes.h"
#include "state/apply.h"
#include "state/checkpoints.h"
#include "state/checksum.h"
#include "state/connections.h"
#include "state/database.h"
#include "state/load.h"
#include "state/migrations.h"
#include "state/replace_file.h"
#include "state/snapshot.h"
#include "state/tip.h"

namespace cc::state {

struct State::Impl {
  Path file;
  Options options;
  // The writing connection. Null after a failure that rolling back could not mend; the next transaction opens it again.
  std::unique_ptr<Database> database;
  std::unique_ptr<Checkpoints> checkpoints;  // of `database`
  std::optional<Tip> tip;                    // none after rolling back
  bool failed = false;                       // something of it did: it can only be rolled back

  mutable std::mutex mutex;
  Position committed;  // guarded by mutex

  Result<> open();
  void close() {
    checkpoints.reset();
    database.reset();
  }
  Result<> begin();
  void set_committed(Position position) {
    const std::lock_guard lock(mutex);
    committed = std::move(position);
  }
};

namespace {

// Checking takes a quarter of a second for each 200 MB. Damage to what a larger file holds is found when it is read.
constexpr std::uint64_t kCheckedUpTo = 256u << 20;

void check_structure(Database& database, const Path& file) {
  std::error_code error;
  if (std::filesystem::file_size(file, error) > kCheckedUpTo || error) return;
  Rows rows = database.ask("PRAGMA quick_check(1)");
  if (!rows.next() || rows.view(0) != "ok")
    throw SQLite::Exception(fmt::format("database disk image is malformed ({})", rows.text(0)), SQLITE_CORRUPT);
}

std::unexpected<Error> must_be_rolled_back() {
  return fail(Code::internal, "the open transaction has failed and was not rolled back");
}

}  // namespace

Result<> State::Impl::open() {
  // Also after a restore that failed half-way: the old file must not be opened without its -wal.
  TRYV(finish_replacement(file));
  return guarded(file, [&]() -> Result<> {
    auto opened = std::make_unique<Database>(file, Database::Access::write);
    TRYV(migrate(*opened, file));
    check_structure(*opened, file);
    tip = read_tip(*opened);
    set_committed(tip->position);
    database = std::move(opened);
    checkpoints = std::make_unique<Checkpoints>(file, *database);
    return {};
  });
}

Result<> State::Impl::begin() {
  if (!database) TRYV(open());
  if (database->in_transaction()) return {};
  database->execute("BEGIN IMMEDIATE");
  if (!tip) tip = read_tip(*database);
  return {};
}

State::State(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
State::~State() = default;

Result<std::unique_ptr<State>> State::open(const Path& file, Options options) {
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  impl->options = options;
  TRYV(impl->open());
  return std::unique_ptr<State>(new State(std::move(impl)));
}

Position State::position() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->committed;
}

Result<std::string> State::apply(Index index, std::string_view command) {
  auto outcome = guarded(impl_->file, [&]() -> Result<std::string> {
    if (impl_->failed) return must_be_rolled_back();
    TRYV(impl_->begin());
    Tip& tip = *impl_->tip;
    if (index <= tip.position.applied) {
      return fail(Code::internal, fmt::format("entry {} of the log was to be applied again; the state is at {}", index,
                                              tip.position.applied));
    }
    TRY(std::string answer, apply_command(*impl_->database, tip, impl_->options, command));
    tip.position.applied = index;
    tip.position.applied_crc = crc32(command);
    return answer;
  });
  if (!outcome) impl_->failed = true;
  return outcome;
}

Changes State::take_changes() {
  if (!impl_->tip) return {.revision = position().revision};
  Changes changes = std::exchange(impl_->tip->changes, {});
  changes.revision = impl_->tip->position.revision;
  return changes;
}

Result<> State::commit() {
  auto committed = guarded(impl_->file, [&]() -> Result<> {
    if (impl_->failed) return must_be_rolled_back();
    if (!impl_->database || !impl_->database->in_transaction()) return {};
    write_position(*impl_->database, impl_->tip->position);
    impl_->database->execute("COMMIT");
    impl_->checkpoints->committed();
    impl_->set_committed(impl_->tip->position);
    return {};
  });
  if (!committed) impl_->failed = true;
  return committed;
}

void State::roll_back() {
  impl_->tip.reset();
  impl_->failed = false;
  if (!impl_->database) return;
  try {
    if (impl_->database->in_transaction()) impl_->database->execute("ROLLBACK");
    impl_->set_committed(read_position(*impl_->database));  // what failed may have been committed all the same
  } catch (const SQLite::Exception&) {
    impl_->close();  // which rolls back, too
  }
}

Result<std::unique_ptr<State::Snapshot>> State::begin_snapshot() {
  return hold_snapshot(impl_->file);
}

Result<> State::restore(const Path& snapshot) {
  TRYV(prepare_replacement(impl_->file, snapshot));
  impl_->close();
  TRYV(put_replacement_in_place(impl_->file));
  return impl_->open();
}

Result<> State::load_releases(const std::function<void(ReleasePtr)>& each) const {
  return guarded(impl_->file, [&]() -> Result<> {
    const auto database = open_reader(impl_->file);
    load_all_releases(*database, each);
    return {};
  });
}

Result<Identity> State::identity() {
  return guarded(impl_->file, [&]() -> Result<Identity> {
    if (!impl_->database) TRYV(impl_->open());
    return load_all_identity(*impl_->database);
  });
}

Result<std::string> State::checksum() const {
  return guarded(impl_->file, [&]() -> Result<std::string> {
    const auto database = open_reader(impl_->file);
    database->execute("BEGIN");  // ended by closing the connection
    return checksum_of(*database);
  });
}

}  // namespace cc::state
