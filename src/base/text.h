// Text in and out: durations, sizes, times, UTF-8.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace cc {

// "250ms", "30s", "5m", "24h", "7d"; a bare number is refused, since it has no unit.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);

// "512", "64KiB", "1MiB", "2GiB" (also KB, MB, GB as powers of ten), in bytes.
Result<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

// RFC 3339 in UTC with milliseconds: "2026-01-02T03:04:05.678Z".
std::string format_time(Wall time);
Result<Wall> parse_time(std::string_view text);

// Whole-string decimal; `what` names it in the error.
Result<std::uint64_t> parse_uint(std::string_view text, std::string_view what);

// Offset of the first byte that is not valid UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text) noexcept;

// Foreign text that can stand on a line of a log, of a message, of a terminal: control characters and bytes that are
// not UTF-8 as \xNN, `escaped` characters behind a backslash. What is longer than `longest` bytes is cut between two
// characters and ends in "…".
std::string printable(std::string_view text, std::size_t longest = std::string_view::npos,
                      std::string_view escaped = {});

// Of ASCII; other characters stay.
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text) noexcept;

// Bytes outside RFC 3986 "unreserved" as %XX; '/' is kept when `keep_slash`.
std::string percent_encode(std::string_view text, bool keep_slash = false);
Result<std::string> percent_decode(std::string_view text);

// The candidate nearest to `word` by edit distance, or "" when none is near: for "did you mean".
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace cc
