#include "state/replace_file.h"

#include <filesystem>
#include <mutex>
#include <tuple>

#include <fmt/format.h>

#include "state/connections.h"
#include "state/database.h"
#include "state/migrations.h"

namespace cc::state {
namespace {

Path with_suffix(const Path& file, const char* suffix) {
  return file.string() + suffix;
}
Path incoming(const Path& file) {
  return with_suffix(file, ".incoming");
}
Path restored(const Path& file) {
  return with_suffix(file, ".restored");
}

Result<> remove_file(const Path& file) {
  std::error_code error;
  std::filesystem::remove(file, error);
  if (error) return fail(Code::unavailable, fmt::format("remove {}: {}", file.string(), error.message()));
  return {};
}

Result<> remove_with_companions(const Path& file) {
  TRYV(remove_file(file));
  TRYV(remove_file(with_suffix(file, "-wal")));
  return remove_file(with_suffix(file, "-shm"));
}

// Opens it as a state, so that it is known to be one before it takes the other's place.
Result<> verify(const Path& file) {
  return guarded(file, [&]() -> Result<> {
    Database database(file, Database::Access::write);
    TRYV(migrate(database, file));
    if (Rows rows = database.ask("PRAGMA integrity_check(1)"); !rows.next() || rows.view(0) != "ok")
      return fail(Code::corruption, "the snapshot's content is damaged: take another copy of it");
    return {};
  });
}

}  // namespace

Result<> prepare_replacement(const Path& file, const Path& other) {
  const Path beside = incoming(file);
  TRYV(remove_with_companions(beside));
  auto fine = copy_file(other, beside, 0600);
  if (fine) fine = verify(beside);  // closing it writes back and removes its -wal
  if (fine) return move_file(beside, restored(file));
  std::ignore = remove_with_companions(beside);  // what matters is why it failed
  return fine;
}

Result<> put_replacement_in_place(const Path& file) {
  const std::unique_lock alone(files_in_place());
  TRYV(remove_file(with_suffix(file, "-wal")));
  TRYV(remove_file(with_suffix(file, "-shm")));
  return move_file(restored(file), file);
}

Result<> finish_replacement(const Path& file) {
  std::error_code error;
  const bool decided = std::filesystem::exists(restored(file), error);
  if (decided) TRYV(put_replacement_in_place(file));
  if (std::filesystem::exists(incoming(file), error)) return remove_with_companions(incoming(file));
  return {};
}

}  // namespace cc::state
