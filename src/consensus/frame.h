// How commands stand in libraft's files: it wants every entry to be a multiple of eight bytes long and does not pad, so
// a command is stored behind its length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "consensus/raft_api.h"

namespace cc::consensus {

// The largest command that fits; far below what libraft can read back in one piece.
inline constexpr std::size_t kLargestCommand = 128u << 20;

// One framed command in memory that libraft may take over.
class Frame {
 public:
  // exhausted when there is no memory. requires: command.size() <= kLargestCommand
  static Result<Frame> of(std::string_view command);
  Frame(Frame&& other) noexcept : buffer_(std::exchange(other.buffer_, {nullptr, 0})) {}
  Frame& operator=(Frame&& other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~Frame() { raft_free(buffer_.base); }

  const raft_buffer& buffer() const { return buffer_; }
  std::size_t size() const { return buffer_.len; }
  void release() { buffer_ = {nullptr, 0}; }  // libraft owns the memory from now on

 private:
  explicit Frame(raft_buffer buffer) : buffer_(buffer) {}
  raft_buffer buffer_;
};

// The command in an entry; corruption when it is not a frame.
Result<std::string_view> unframe(std::string_view entry);

}  // namespace cc::consensus
