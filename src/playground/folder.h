// The folder of a playground: kept, or gone with it; its files as its parts have them.
#pragma once

#include "playground/part.h"

namespace cc::playground {

// Removes a temporary one when it dies. Movable.
class Folder {
 public:
  static Result<Folder> make_temporary();
  // Stays. Made when it is not there.
  static Result<Folder> keep(const Path& path);
  ~Folder();
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;
  const Path& path() const { return path_; }
  Path logs() const { return path_ / "logs"; }

 private:
  Folder(Path path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  Path path_;
  bool temporary_;
};

// Who runs PostgreSQL for root: the user postgres, or nobody. Nothing when it is not root who runs this. An error when
// that user cannot enter `folder`.
Result<std::optional<User>> database_user(const Path& folder);

// The folders that components work in, and the files.
Result<> write(const Part& part, const Path& logs);

// What PostgreSQL leaves in the system's memory when it is killed, of the servers whose folder this is.
void forget_shared_memory(const Path& folder);

}  // namespace cc::playground
