// Files, whole. Errors name the path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cc {

using Path = std::filesystem::path;

Result<std::string> read_file(const Path& path);

// Writes beside `path`, syncs, renames: readers see the old content or the new, never half.
Result<> write_file(const Path& path, std::string_view content, unsigned mode = 0644);

// The same for files that are large: the content comes in pieces.
Result<> read_in_pieces(const Path& path, const std::function<void(std::string_view piece)>& each);
Result<> copy_file(const Path& from, const Path& to, unsigned mode = 0644);  // synced; `to` must not exist

Result<> sync_file(const Path& path);
Result<> move_file(const Path& from, const Path& to);  // on one disk; replaces `to`; synced
Result<> make_directories(const Path& path, unsigned mode = 0755);
Result<> sync_directory(const Path& path);
Result<std::uint64_t> free_space(const Path& path);     // bytes that an unprivileged writer may still use
std::uint64_t size_of_tree(const Path& path) noexcept;  // bytes of all files below; 0 when there is none

// A new folder under $TMPDIR, removed with everything in it when the object dies.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const Path& path() const { return path_; }

 private:
  Path path_;
};

}  // namespace cc
