// One checker per format, for format.cc only, and the words they refuse with. Each is given valid UTF-8 without its
// byte order mark, and answers with the offset of what it refuses; none recurses deeper than kDeepest or takes more
// than time proportional to n log n, whatever it is given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cc {

inline constexpr std::size_t kDeepest = 100;  // levels of nesting

struct Refusal {
  std::size_t offset = 0;  // in bytes; content.size() is "at the end"
  std::string reason;
};
using Verdict = std::optional<Refusal>;

Verdict check_properties(std::string_view content);
Verdict check_yaml(std::string_view content);
Verdict check_json(std::string_view content);
Verdict check_toml(std::string_view content);
Verdict check_xml(std::string_view content);

// Counted from 1, columns in code points. A line ends with \n, \r\n or \r.
struct Position {
  std::size_t line = 1, column = 1;
};
Position position_of(std::string_view content, std::size_t offset);

// `duplicate key "port" (first on line 1)`
std::string duplicate_key(std::string_view content, std::string_view key, std::size_t first_offset);

// "deeper than 100 levels of nesting"
std::string too_deep();

// Offset of the first control character that is not tab, \n or \r; npos when there is none.
std::size_t find_control_character(std::string_view content);
std::string control_character(char c);

}  // namespace cc
