#include "consensus/frame.h"

#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "base/little_endian.h"

namespace cc::consensus {
namespace {

constexpr std::size_t kFrameHeader = 8;  // length, format
constexpr std::uint32_t kFrameFormat = 1;

}  // namespace

Entry entry_of(std::string_view command) {
  const std::size_t length = (kFrameHeader + command.size() + 7) / 8 * 8;
  const std::shared_ptr<char[]> base = std::make_shared_for_overwrite<char[]>(length);
  put_little_endian(base.get(), static_cast<std::uint32_t>(command.size()));
  put_little_endian(base.get() + 4, kFrameFormat);
  std::memcpy(base.get() + kFrameHeader, command.data(), command.size());
  std::memset(base.get() + kFrameHeader + command.size(), 0, length - kFrameHeader - command.size());
  return {.term = 0, .kind = EntryKind::command, .bytes = {base.get(), length}, .owner = base};
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

}  // namespace cc::consensus
