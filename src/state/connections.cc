#include "state/connections.h"

#include <sys/stat.h>

#include <exception>
#include <utility>

#include <sqlite3.h>

namespace cc::state {
namespace {

// Which file stands under a name: another one after restore().
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const Identity&) const = default;
};

Identity identity_of(const Path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) throw SQLite::Exception("unable to open database file", SQLITE_CANTOPEN);
  return {.device = status.st_dev, .inode = status.st_ino};
}

// How many instructions of SQLite's machine pass between two looks at the clock: some ten microseconds.
constexpr int kInstructionsPerLook = 1000;

int must_end(void* until) {
  return static_cast<const Deadline*>(until)->passed() ? 1 : 0;
}

}  // namespace

std::shared_mutex& files_in_place() {
  static std::shared_mutex mutex;
  return mutex;
}

std::unique_ptr<Database> open_reader(const Path& file) {
  const std::shared_lock in_place(files_in_place());
  auto database = std::make_unique<Database>(file, Database::Access::read);
  // SQLite opens the -wal at the first question; ask it while the files are in place.
  static_cast<void>(database->ask("SELECT revision FROM position").next());
  return database;
}

struct Connections::Connection {
  Identity identity;
  std::unique_ptr<Database> database;
};

Connections::Connections(Path file, std::size_t at_most)
    : file_(std::move(file)), at_most_(at_most == 0 ? 1 : at_most) {}

Connections::~Connections() = default;

std::unique_ptr<Connections::Connection> Connections::open() const {
  auto connection = std::make_unique<Connection>();
  // Asked before opening: when the file is replaced in between, the connection is merely opened once more.
  connection->identity = identity_of(file_);
  connection->database = open_reader(file_);
  return connection;
}

Connections::Lease Connections::take(const Deadline& until) {
  std::unique_ptr<Connection> connection;
  {
    std::unique_lock lock(mutex_);
    if (!given_back_.wait_for(lock, until.left(), [&] { return taken_ < at_most_; }))
      throw SQLite::Exception("interrupted", SQLITE_INTERRUPT);
    ++taken_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  try {
    if (connection && connection->identity != identity_of(file_)) connection.reset();
    if (!connection) connection = open();
    connection->database->execute("BEGIN");
    return {*this, std::move(connection), until};
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void Connections::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --taken_;
    if (connection) idle_.push_back(std::move(connection));
  }
  given_back_.notify_one();
}

Connections::Lease::Lease(Connections& owner, std::unique_ptr<Connection> connection, const Deadline& until)
    : owner_(owner), connection_(std::move(connection)), until_(until) {
  sqlite3_progress_handler(connection_->database->handle(), kInstructionsPerLook, must_end, &until_);
}

Connections::Lease::~Lease() {
  sqlite3_progress_handler(connection_->database->handle(), 0, nullptr, nullptr);
  try {
    connection_->database->execute("COMMIT");
  } catch (const SQLite::Exception&) {
    connection_.reset();  // whatever is wrong with it, the next one is new
  }
  owner_.give_back(std::move(connection_));
}

Database& Connections::Lease::operator*() const {
  return *connection_->database;
}

}  // namespace cc::state
