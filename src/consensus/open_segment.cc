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

#include "base/little_endian.h"
#include "consensus/entry.h"
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

constexpr std::size_t kChecksums = 8;
constexpr std::size_t kSector = 512;          // what a disk writes whole or not at all
constexpr std::size_t kAllocated = 8u << 20;  // what libraft allocates for a segment before it writes to it, at least

// What stands at the beginning of `rest`.
struct Found {
  std::uint64_t extent = 0;  // of the batch there, as its header says; 0 when the header is not whole
  bool whole = false;
};

Found batch_at(std::string_view rest) {
  if (rest.size() < kChecksums + 8) return {};
  const auto count = get_little_endian<std::uint64_t>(rest.substr(kChecksums));
  if (count == 0 || count > kMostEntriesInABatch) return {};
  const std::size_t header = 8 + 16 * count;
  if (rest.size() < kChecksums + header) return {};
  const std::string_view header_bytes = rest.substr(kChecksums, header);
  if (segment_crc(header_bytes) != get_little_endian<std::uint32_t>(rest)) return {};
  std::uint64_t data = 0;
  for (std::size_t i = 0; i < count; ++i)
    data += get_little_endian<std::uint32_t>(header_bytes.substr(8 + 16 * i + 12));
  const std::uint64_t extent = kChecksums + header + data;
  const bool whole = extent <= rest.size() && segment_crc(rest.substr(kChecksums + header, data)) ==
                                                  get_little_endian<std::uint32_t>(rest.substr(4));
  return {.extent = extent, .whole = whole};
}

bool all_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// Whether a batch begins anywhere behind `from`: all of them begin at multiples of eight.
bool batch_behind(std::string_view bytes, std::size_t from) {
  for (std::size_t at = (from + 8) / 8 * 8; at < bytes.size(); at += 8) {
    if (batch_at(bytes.substr(at)).extent != 0) return true;
  }
  return false;
}

// What one write, of a batch at `end`, can leave when it is torn; see the header.
bool torn(std::string_view bytes, std::size_t end) {
  const Found batch = batch_at(bytes.substr(end));
  if (batch.extent == 0) {
    // Its header is not there: nor can be that of another, later one.
    if (batch_behind(bytes, end)) return false;
  } else if (end + batch.extent < bytes.size() && !all_zero(bytes.substr(end + batch.extent))) {
    return false;
  }
  const std::size_t last = batch.extent == 0 ? bytes.find_last_not_of('\0') + 1 : end + batch.extent;
  // The file ends inside it: its room was not all there yet.
  if (last > bytes.size() || (batch.extent == 0 && bytes.size() < kAllocated)) return true;
  for (std::size_t sector = end / kSector * kSector; sector < last; sector += kSector) {
    const std::size_t from = std::max(sector, end);
    if (all_zero(bytes.substr(from, std::min(sector + kSector, last) - from))) return true;
  }
  return false;
}

std::unexpected<Error> cannot_mend(const Path& path) {
  return fail(Code::unavailable,
              fmt::format("cannot mend {}: {}", path.string(), std::system_category().message(errno)));
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

struct Segment {
  Path path;
  std::size_t size = 0;
  std::size_t end = 0;   // of the last whole batch; 0: it holds none
  std::size_t torn = 0;  // bytes behind it that are not zero
};

// corruption when there is something in it that a torn write does not explain.
Result<Segment> examine(const Path& path) {
  TRY(const std::string content, read_file(path));
  const std::string_view bytes = content;
  Segment segment{.path = path, .size = bytes.size()};
  const std::uint64_t format = bytes.size() < 8 ? 0 : get_little_endian<std::uint64_t>(bytes);
  if (format != 0 && format != kSegmentFormat) {
    return fail(Code::corruption,
                fmt::format("{} is not a segment of the log that this version can read (format {}): use the version "
                            "that wrote it, or restore a backup",
                            path.string(), format));
  }
  std::size_t end = format == 0 ? 0 : 8;
  while (end != 0 && end < bytes.size()) {
    const Found batch = batch_at(bytes.substr(end));
    if (!batch.whole) break;
    end += batch.extent;
  }
  if (end > 8) segment.end = end;
  segment.torn = bytes.find_last_not_of('\0') + 1;
  segment.torn = segment.torn > end ? segment.torn - end : 0;
  if (segment.torn != 0 && !torn(bytes, end)) {
    return fail(Code::corruption,
                fmt::format("{} is damaged at offset {}, in what was acknowledged: check the disk. Put a sound copy of "
                            "the data folder in its place, restore a backup, or let the node join its group again",
                            path.string(), end));
  }
  return segment;
}

}  // namespace

Result<> mend_open_segments(const std::vector<Path>& paths) {
  std::vector<Segment> segments;
  for (const Path& path : paths) {
    TRY(Segment segment, examine(path));
    if (segment.end != 0 && std::ranges::any_of(segments, [](const Segment& each) { return each.torn != 0; })) {
      return fail(Code::corruption,
                  fmt::format("a segment of the log before {} is damaged: check the disk, then restore a backup or let "
                              "the node join its group again",
                              path.string()));
    }
    segments.push_back(std::move(segment));
  }
  for (const Segment& segment : segments) {
    if (segment.torn != 0) {
      log.warn("dropped an unfinished write at the end of the log; nothing in it was acknowledged",
               {{"file", segment.path.string()}, {"offset", segment.end}, {"bytes", segment.torn}});
    }
    if (segment.end == 0) {
      if (::unlink(segment.path.c_str()) != 0) return cannot_mend(segment.path);
      TRYV(sync_directory(segment.path.parent_path()));
      continue;
    }
    // libraft needs room for one more, empty, batch header to see where the entries end.
    const std::size_t padded = (segment.end + kBlock - 1) / kBlock * kBlock + kBlock;
    if (segment.size != padded || segment.torn != 0) TRYV(cut(segment.path, segment.end, padded));
  }
  return {};
}

bool begins_a_log(const Path& segment) {
  constexpr std::size_t kFirstEntry = 8 + kChecksums + 8;  // format, checksums, count
  const auto content = read_file(segment);
  if (!content || content->size() < kFirstEntry + 9) return false;
  const std::string_view entry = std::string_view(*content).substr(kFirstEntry);
  return get_little_endian<std::uint64_t>(entry) == 1 && entry[8] == static_cast<char>(EntryKind::members);
}

}  // namespace cc::consensus

// libraft calls this for a segment before it writes to it. The system's leaves blocks that are marked as unwritten, and
// the first write to each of them changes the file system's own records as well: that takes longer than the write, and
// is never done asynchronously, so that libraft gives every write to another thread. Here, in place of the system's,
// the zeros are written. (PostgreSQL does the same.)
extern "C" int posix_fallocate(int fd, off_t offset, off_t length) {
  static constexpr std::array<char, 256 * 1024> kZeros{};
  while (length > 0) {
    const auto now = static_cast<std::size_t>(std::min<off_t>(length, kZeros.size()));
    const ssize_t put = ::pwrite(fd, kZeros.data(), now, offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    offset += put;
    length -= put;
  }
  return ::fdatasync(fd) == 0 ? 0 : errno;
}
