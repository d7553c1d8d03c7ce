// Zip files in memory (libarchive), for export and import.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc {

struct ZipEntry {
  std::string name;  // with '/', relative, no "." or ".." segment
  std::string content;
};

Result<std::string> write_zip(const std::vector<ZipEntry>& entries);

// Refuses entries that would leave the folder, and archives whose content exceeds `limit` bytes.
Result<std::vector<ZipEntry>> read_zip(std::string_view bytes, std::uint64_t limit);

}  // namespace cc
