// Characters of UTF-8 text, one at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace cc {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;  // that it takes; 0: what stands there is not UTF-8
  // To what comes next: over one byte where there is no character.
  constexpr std::size_t step() const noexcept { return bytes == 0 ? 1 : bytes; }
};

// Of `text`, which is not empty. Strict (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
constexpr Character first_character(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0) == 0x80; };
  const char32_t c = at(0);
  if (c < 0x80) return {c, 1};
  if (c < 0xC2 || c > 0xF4 || !continues(1)) return {};
  if (c < 0xE0) return {(c & 0x1F) << 6 | (at(1) & 0x3F), 2};
  if (!continues(2)) return {};
  if (c < 0xF0) {
    if ((c == 0xE0 && at(1) < 0xA0) || (c == 0xED && at(1) > 0x9F)) return {};
    return {(c & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F), 3};
  }
  if (!continues(3) || (c == 0xF0 && at(1) < 0x90) || (c == 0xF4 && at(1) > 0x8F)) return {};
  return {(c & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 | (at(3) & 0x3F), 4};
}

// U+0000 to U+001F, U+007F to U+009F.
constexpr bool is_control(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

}  // namespace cc
