// How commands stand in the log: libraft wants every entry to be a multiple of eight bytes long and does not pad, so a
// command is stored behind its length.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "consensus/entry.h"

namespace cc::consensus {

// The largest command that fits; far below what libraft can read back in one piece.
inline constexpr std::size_t kLargestCommand = 128u << 20;

// The command as an entry, without a term. requires: command.size() <= kLargestCommand
Entry entry_of(std::string_view command);

// The command in an entry; corruption when it is not a frame.
Result<std::string_view> unframe(std::string_view entry);

}  // namespace cc::consensus
