// Files, whole. Errors name the path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace cc {

using Path = std::filesystem::path;

Result<std::string> read_file(const Path& path);

// For what is ours: writes beside `path`, syncs, renames: readers see the old content or the new, never half.
Result<> write_file(const Path& path, std::string_view content, unsigned mode = 0644);

// The same for files that are large: the content comes in pieces.
Result<> read_in_pieces(const Path& path, const std::function<void(std::string_view piece)>& each);
Result<> copy_file(const Path& from, const Path& to, unsigned mode = 0644);  // synced; `to` must not exist

// A file that is read at whatever pace. What is removed or replaced meanwhile is read to its end. Movable.
class OpenFile {
 public:
  static Result<OpenFile> open(const Path& path);
  ~OpenFile();
  OpenFile(OpenFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  OpenFile& operator=(OpenFile&&) = delete;

  Result<std::size_t> read(char* to, std::size_t size);  // 0 at its end

 private:
  OpenFile(Path path, int fd) : path_(std::move(path)), fd_(fd) {}
  Path path_;
  int fd_;
};

// A file that was not there, written at whatever pace. The disk gets it bit by bit, as with write_out(). Movable.
class NewFile {
 public:
  static Result<NewFile> create(const Path& path, unsigned mode = 0644);  // already_exists
  ~NewFile();                                                             // without finish(): it is removed
  NewFile(NewFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  NewFile& operator=(NewFile&&) = delete;

  Result<> write(std::string_view bytes);
  Result<> finish();  // once, at the end: synced

 private:
  NewFile(Path path, int fd) : path_(std::move(path)), fd_(fd) {}
  Path path_;
  int fd_;
  std::size_t not_written_out_ = 0;  // bytes
};

Result<> sync_file(const Path& path);
// Has what was written to it so far on its way to the disk, and waits for it. A large file that is written in pieces,
// with this after each, never keeps the disk from others for long, as syncing it at once would. It promises nothing of
// what is there after a crash: see sync_file().
Result<> write_out(const Path& path);
Result<> move_file(const Path& from, const Path& to);  // on one disk; replaces `to`; synced

// For what a person names. What is there is replaced whole, as by write_file(), where it stays what it is thereby: its
// mode, its owner, the target of a link. Anything else is written to: a device, a pipe, a file that somebody else owns
// or that has other names. Movable.
class NamedFile {
 public:
  // A new file gets `mode` less the umask.
  static Result<NamedFile> open(const Path& path, unsigned mode = 0666);
  ~NamedFile();  // without finish(): what was to be replaced stays as it was
  NamedFile(NamedFile&& other) noexcept;
  NamedFile& operator=(NamedFile&&) = delete;

  Result<> write(std::string_view bytes);
  Result<> finish();  // once, at the end

 private:
  NamedFile(Path path, Path beside, int fd) : path_(std::move(path)), beside_(std::move(beside)), fd_(fd) {}
  Path path_;    // with links followed
  Path beside_;  // what will replace it; empty: it is written to itself
  int fd_;
};
Result<> write_named_file(const Path& path, std::string_view content, unsigned mode = 0666);

// With everything in it; a file, too. Nothing when it is not there.
Result<> remove_tree(const Path& path);

// Makes all folders that are missing, and has the disk keep each.
Result<> make_directories(const Path& path, unsigned mode = 0755);
Result<> sync_directory(const Path& path);
Result<std::uint64_t> free_space(const Path& path);     // bytes that an unprivileged writer may still use
std::uint64_t size_of_tree(const Path& path) noexcept;  // bytes of all files below; 0 when there is none

// A new folder under $TMPDIR, removed with everything in it when the object dies. Movable.
class TempDirectory {
 public:
  static Result<TempDirectory> make();
  TempDirectory() : TempDirectory(make().value()) {}  // throws; for tests
  ~TempDirectory();
  TempDirectory(TempDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDirectory& operator=(TempDirectory&&) = delete;
  const Path& path() const { return path_; }

 private:
  explicit TempDirectory(Path path) : path_(std::move(path)) {}
  Path path_;
};

}  // namespace cc
