// Zip files in memory (libarchive), for export and import.
#pragma once

#include <memory>
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

// The same for what is not all in one list: entry by entry, without a copy of their contents.
class ZipWriter {
 public:
  ZipWriter();
  ~ZipWriter();
  Result<> add(const std::string& name, std::string_view content);
  Result<std::string> finish();  // once, at the end

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Refuses entries that would leave the folder, and archives whose content exceeds `limit` bytes.
Result<std::vector<ZipEntry>> read_zip(std::string_view bytes, std::uint64_t limit);

}  // namespace cc
