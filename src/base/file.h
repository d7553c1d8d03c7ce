// Files, whole. Errors name the path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cc {

using Path = std::filesystem::path;

Result<std::string> read_file(const Path& path);

// Writes beside `path`, syncs, renames: readers see the old content or the new, never half.
Result<> write_file(const Path& path, std::string_view content, unsigned mode = 0644);

Result<> make_directories(const Path& path, unsigned mode = 0755);
Result<> sync_directory(const Path& path);
Result<std::uint64_t> free_space(const Path& path);  // bytes that an unprivileged writer may still use

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
