#include "consensus/open_segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include <fmt/format.h>

#include "consensus/little_endian.h"
#include "consensus/say.h"

namespace cc::consensus {
namespace {

// The layout that libraft documents in raft/uv.h: a format number, then batches of
//   crc of header, crc of data (4 bytes each), header: count (8), count * (term 8, type 1, unused 3, size 4), data.
constexpr std::uint64_t kSegmentFormat = 1;
constexpr std::size_t kBlock = 4096;
constexpr std::uint64_t kMostEntriesInABatch = (8u << 20) / 32;  // more is taken for damage by libraft

// CRC-32 as libraft computes it: most significant bit first, no inversion.
std::uint32_t segment_crc(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i << 24;
      for (int bit = 0; bit < 8; ++bit)
        crc = (crc & 0x80000000u) != 0 ? (crc << 1) ^ 0x04C11DB7u : crc << 1;
      table[i] = crc;
    }
    return table;
  }();
  std::uint32_t crc = 0;
  for (const char c : bytes)
    crc = (crc << 8) ^ kTable[((crc >> 24) ^ static_cast<unsigned char>(c)) & 0xFF];
  return crc;
}

// Bytes that the batch at the beginning of `rest` takes, or 0 when it is not whole.
std::size_t whole_batch(std::string_view rest) {
  constexpr std::size_t kChecksums = 8;
  if (rest.size() < kChecksums + 8) return 0;
  const auto count = get_little_endian<std::uint64_t>(rest.substr(kChecksums));
  if (count == 0 || count > kMostEntriesInABatch) return 0;
  const std::size_t header = 8 + 16 * count;
  if (rest.size() < kChecksums + header) return 0;
  const std::string_view header_bytes = rest.substr(kChecksums, header);
  if (segment_crc(header_bytes) != get_little_endian<std::uint32_t>(rest)) return 0;
  std::uint64_t data = 0;
  for (std::size_t i = 0; i < count; ++i)
    data += get_little_endian<std::uint32_t>(header_bytes.substr(8 + 16 * i + 12));
  if (rest.size() - kChecksums - header < data) return 0;
  if (segment_crc(rest.substr(kChecksums + header, data)) != get_little_endian<std::uint32_t>(rest.substr(4))) return 0;
  return kChecksums + header + data;
}

std::unexpected<Error> cannot_mend(const Path& path) {
  return fail(Code::unavailable,
              fmt::format("cannot mend {}: {}", path.string(), std::system_category().message(errno)));
}

Result<> remove_segment(const Path& path) {
  if (::unlink(path.c_str()) != 0) return cannot_mend(path);
  return sync_directory(path.parent_path());
}

Result<> cut(const Path& path, std::size_t end, std::size_t padded) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return cannot_mend(path);
  const bool done = ::ftruncate(fd, static_cast<off_t>(end)) == 0 && ::ftruncate(fd, static_cast<off_t>(padded)) == 0 &&
                    ::fsync(fd) == 0;
  auto outcome = done ? Result<>{} : cannot_mend(path);
  ::close(fd);
  return outcome;
}

}  // namespace

Result<> mend_open_segment(const Path& path) {
  TRY(const std::string content, read_file(path));
  const std::string_view bytes = content;
  const std::uint64_t format = bytes.size() < 8 ? 0 : get_little_endian<std::uint64_t>(bytes);
  if (format != 0 && format != kSegmentFormat) {
    return fail(Code::corruption,
                fmt::format("{} is not a segment of the log that this version can read (format {}): use the version "
                            "that wrote it, or restore a backup",
                            path.string(), format));
  }
  std::size_t end = 8;
  while (format == kSegmentFormat && end < bytes.size()) {
    const std::size_t batch = whole_batch(bytes.substr(end));
    if (batch == 0) break;
    end += batch;
  }
  const std::string_view tail = bytes.substr(std::min(end, bytes.size()));
  const std::size_t garbage = tail.find_last_not_of('\0') + 1;
  if (format == kSegmentFormat && garbage != 0) {
    log.warn("dropped an unfinished write at the end of the log; nothing in it was acknowledged",
             {{"file", path.string()}, {"offset", end}, {"bytes", garbage}});
  }
  if (format == 0 || end == 8) return remove_segment(path);

  // libraft needs room for one more, empty, batch header to see where the entries end.
  const std::size_t padded = (end + kBlock - 1) / kBlock * kBlock + kBlock;
  if (bytes.size() == padded && garbage == 0) return {};
  return cut(path, end, padded);
}

}  // namespace cc::consensus
