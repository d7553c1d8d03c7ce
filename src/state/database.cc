#include "state/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace cc::state {
namespace {

constexpr int kBusyMilliseconds = 5000;

// Durability of each commit is the Raft log's: it is fsynced on a majority before a command is applied here, and it
// replays what this file lacks. So in WAL mode synchronous=NORMAL is enough: it never damages the file, and what a
// power failure can take is only the newest commits, since the last checkpoint.
constexpr auto kWriterPragmas =
    "PRAGMA synchronous = NORMAL;"  // checkpoints: state/checkpoints.h
    "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000; PRAGMA secure_delete = FAST;";
constexpr auto kReaderPragmas = "PRAGMA query_only = ON; PRAGMA cache_size = -2000;";
constexpr auto kPragmas = "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";

// Process-wide, before the first connection: no count of the memory in use, for which each allocation would take a
// lock that all connections share.
void configure() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(done);
}

int flags(Database::Access access) {
  configure();
  if (access == Database::Access::read) return SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX;
  return SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX;
}

}  // namespace

Database::Database(const Path& file, Access access) : database_(file.string(), flags(access), kBusyMilliseconds) {
  sqlite3_extended_result_codes(handle(), 1);
  if (access == Access::write) {
    if (sqlite3_db_readonly(handle(), "main") != 0)
      throw SQLite::Exception("attempt to write a readonly database", SQLITE_READONLY);
    // Hashes of passwords stand in it. The -wal and the -shm are made with the same permissions.
    std::error_code not_ours;
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                                 not_ours);
    // Of a file that is new: it can give back later what is not used any more; see state/upkeep.h.
    execute("PRAGMA auto_vacuum = INCREMENTAL");
    // Asked, not told: where it cannot be done SQLite stays as it is without an error.
    if (Rows mode = ask("PRAGMA journal_mode = WAL"); !mode.next() || mode.view(0) != "wal")
      throw SQLite::Exception("the file system lacks the shared memory that a write-ahead log needs", SQLITE_CANTOPEN);
    execute(kWriterPragmas);
  } else {
    execute(kReaderPragmas);
  }
  execute(kPragmas);
}

SQLite::Statement& Database::prepared(const char* sql) {
  const auto found = prepared_.find(sql);
  if (found != prepared_.end()) return found->second;
  return prepared_.emplace(sql, SQLite::Statement(database_, sql)).first->second;
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle()) == 0;
}

Error error_of(const SQLite::Exception& exception, const Path& file) {
  constexpr int kPrimaryCode = 0xff;
  const std::string said = fmt::format("{}: {}", file.string(), exception.what());
  switch (exception.getErrorCode() & kPrimaryCode) {
    case SQLITE_FULL:
      return {Code::unavailable, said + ": make room on the disk; writes go on by themselves then"};
    case SQLITE_IOERR:
      return {Code::unavailable, said + ": the disk failed or is full; see the system's log"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {Code::unavailable,
              said + ": the file and its folder must be there and writable for the user that runs the node"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::unavailable, said + ": another program holds the file; end it"};
    case SQLITE_INTERRUPT:
      return {Code::timeout, "the question takes longer than the request may (setting server.timeout): ask for less"};
    case SQLITE_NOMEM:
      return {Code::exhausted, said};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::corruption,
              said +
                  ": the file is damaged; stop the node and move it, with its -wal and -shm files, away: at "
                  "the next start the state is built again from the log and its snapshot"};
    default:
      return {Code::internal, said};
  }
}

}  // namespace cc::state
