// Connections that read a state file while the log thread writes it, also across restore(), which puts another file in
// its place.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "base/deadline.h"
#include "base/file.h"
#include "state/database.h"

namespace cc::state {

// Held shared while a connection is opened, and alone while a restored file is put in place: in between there is an
// old file without its -wal, which nobody must see. One for all state files of the process.
std::shared_mutex& files_in_place();

// Throws SQLite::Exception.
std::unique_ptr<Database> open_reader(const Path& file);

// A few readers, shared by threads. Thread-safe.
class Connections {
 public:
  Connections(Path file, std::size_t at_most);
  ~Connections();

  const Path& file() const { return file_; }

  // One reader, alone, in a read transaction: sees one committed state. Waits until there is one. Ends the transaction
  // and gives the connection back when it dies. Throws SQLITE_INTERRUPT when it gets none before the deadline;
  // questions that still run then throw it too.
  class Lease;
  Lease take(const Deadline& until);

 private:
  struct Connection;

  std::unique_ptr<Connection> open() const;
  void give_back(std::unique_ptr<Connection> connection);

  Path file_;
  std::size_t at_most_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  std::size_t taken_ = 0;                          // guarded by mutex_
};

class Connections::Lease {
 public:
  Lease(Connections& owner, std::unique_ptr<Connection> connection, const Deadline& until);
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();
  Database& operator*() const;
  Database* operator->() const { return &**this; }

 private:
  Connections& owner_;
  std::unique_ptr<Connection> connection_;
  Deadline until_;
};

}  // namespace cc::state
