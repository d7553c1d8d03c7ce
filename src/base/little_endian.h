// Numbers as bytes, least significant first, whatever the machine.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

namespace cc {

template <std::unsigned_integral T>
void put_little_endian(char* to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    to[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

// requires: bytes.size() >= sizeof(T)
template <std::unsigned_integral T>
T get_little_endian(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i));
  }
  return value;
}

}  // namespace cc
