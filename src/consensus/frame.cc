#include "consensus/frame.h"

#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "consensus/little_endian.h"

namespace cc::consensus {
namespace {

constexpr std::size_t kFrameHeader = 8;  // length, format
constexpr std::uint32_t kFrameFormat = 1;

constexpr std::string_view kSnapshotMagic = "CCSNAP01";
constexpr std::size_t kSnapshotHeader = 16;  // magic, CRC-32, low half of the length

}  // namespace

Result<Frame> Frame::of(std::string_view command) {
  const std::size_t length = (kFrameHeader + command.size() + 7) / 8 * 8;
  auto* base = static_cast<char*>(raft_malloc(length));
  if (base == nullptr) {
    return fail(Code::exhausted, fmt::format("no memory for a change of {}: try again, or give the node more memory",
                                             format_size(command.size())));
  }
  put_little_endian(base, static_cast<std::uint32_t>(command.size()));
  put_little_endian(base + 4, kFrameFormat);
  std::memcpy(base + kFrameHeader, command.data(), command.size());
  std::memset(base + kFrameHeader + command.size(), 0, length - kFrameHeader - command.size());
  return Frame({base, length});
}

Result<std::string_view> unframe(std::string_view entry) {
  if (entry.size() < kFrameHeader || get_little_endian<std::uint32_t>(entry.substr(4)) != kFrameFormat) {
    return fail(Code::corruption, "an entry of the log is not one of this program, or of a newer version of it");
  }
  const std::size_t length = get_little_endian<std::uint32_t>(entry);
  if (length > entry.size() - kFrameHeader) {
    return fail(Code::corruption, fmt::format("an entry of the log says it has {} bytes, but has {}", length,
                                              entry.size() - kFrameHeader));
  }
  return entry.substr(kFrameHeader, length);
}

std::string snapshot_header(std::string_view snapshot) {
  std::string header(kSnapshotHeader, '\0');
  std::memcpy(header.data(), kSnapshotMagic.data(), kSnapshotMagic.size());
  put_little_endian(header.data() + 8, crc32(snapshot));
  put_little_endian(header.data() + 12, static_cast<std::uint32_t>(snapshot.size()));
  return header;
}

Result<std::string_view> unframe_snapshot(std::string_view file) {
  if (file.size() < kSnapshotHeader || !file.starts_with(kSnapshotMagic)) {
    return fail(Code::corruption, "the snapshot is not one of this program, or of a newer version of it");
  }
  const std::string_view content = file.substr(kSnapshotHeader);
  if (get_little_endian<std::uint32_t>(file.substr(12)) != static_cast<std::uint32_t>(content.size()) ||
      get_little_endian<std::uint32_t>(file.substr(8)) != crc32(content)) {
    return fail(Code::corruption, "the snapshot is damaged: its checksum does not match");
  }
  return content;
}

}  // namespace cc::consensus
