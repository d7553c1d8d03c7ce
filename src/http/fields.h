// Small readers of header values, free of Beast and of allocations.
#pragma once

#include <string_view>

namespace cc::http {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Names and tokens are equal in any case.
constexpr bool equal_fields(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// A character of RFC 9110's `token`.
bool is_token_character(char c) noexcept;

std::string_view trim_blanks(std::string_view text) noexcept;  // SP and HTAB only

// Takes the first element of a comma-separated list off `rest`; commas inside quotes do not separate.
std::string_view next_element(std::string_view& rest) noexcept;

}  // namespace cc::http
