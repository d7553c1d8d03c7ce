// A file in parts, for stores that take it so: one of them in memory at a time. Inside src/backup.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "backup/storage.h"
#include "base/file.h"
#include "base/result.h"

namespace cc::backup {

inline constexpr std::uint64_t kPart = 8u << 20;

// The size of parts of a file that may be cut into so many.
inline std::uint64_t part_size(std::uint64_t bytes, std::uint64_t most_parts) {
  const std::uint64_t least = (bytes + most_parts - 1) / most_parts;
  return std::max(kPart, (least + kPart - 1) / kPart * kPart);
}

// A file that is no larger than a part is put as a text; a larger one by `in_parts`, which is told its size.
inline Result<> put_at_once_or(Storage& to, const std::string& name, const Path& from, const Progress& progress,
                               const std::function<Result<>(std::uint64_t bytes)>& in_parts) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(from, error);
  if (error) return fail(Code::unavailable, fmt::format("cannot read {}: {}", from.string(), error.message()));
  if (bytes > kPart) return in_parts(bytes);
  TRY(const std::string content, read_file(from));
  TRYV(to.put_text(name, content));
  if (progress) progress(bytes, bytes);
  return {};
}

// Gives each part to `take`, with its offset; all but the last are of that size.
inline Result<> in_parts(const Path& file, std::uint64_t size,
                         const std::function<Result<>(std::uint64_t offset, std::string_view part)>& take) {
  TRY(OpenFile from, OpenFile::open(file));
  std::string part;
  for (std::uint64_t offset = 0;; offset += part.size()) {
    part.resize(size);
    std::size_t got = 0;
    while (got < part.size()) {
      TRY(const std::size_t more, from.read(part.data() + got, part.size() - got));
      if (more == 0) break;
      got += more;
    }
    part.resize(got);
    if (part.empty()) return {};
    TRYV(take(offset, part));
    if (part.size() < size) return {};
  }
}

}  // namespace cc::backup
