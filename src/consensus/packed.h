// Numbers and strings one after another, as nodes say them to each other.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/little_endian.h"

namespace cc::consensus {

class Packer {
 public:
  explicit Packer(std::string before = {}, std::size_t expected = 0) : out_(std::move(before)) {
    out_.reserve(expected);
  }
  template <std::unsigned_integral Number>
  void put(Number number) {
    char bytes[sizeof number];
    put_little_endian(bytes, number);
    out_.append(bytes, sizeof bytes);
  }
  void put(std::string_view bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    out_ += bytes;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Once something was missing everything is 0 and empty, and whole() is false.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}
  template <std::unsigned_integral Number>
  Number get() {
    const std::string_view bytes = take(sizeof(Number));
    return whole_ ? get_little_endian<Number>(bytes) : Number{0};
  }
  std::string_view get_bytes() { return take(get<std::uint32_t>()); }
  bool whole() const { return whole_; }
  bool at_end() const { return whole_ && bytes_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      whole_ = false;
      bytes_ = {};
    }
    if (!whole_) return {};
    const std::string_view out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }
  std::string_view bytes_;
  bool whole_ = true;
};

}  // namespace cc::consensus
