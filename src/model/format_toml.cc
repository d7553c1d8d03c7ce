// TOML 1.0 by toml++. Dotted keys nest without brackets, so depth is measured here before the parser sees it.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

// toml++ asserts what hostile text can make untrue ("[=]"), and in a release build has the compiler rely on it; the
// code that follows would have refused the text properly. So its assertions neither abort nor promise anything.
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 101  // brackets, and the value in them
#include <toml++/toml.h>

#include "model/format_check.h"

namespace cc {
namespace {

// After the string that begins at `at`, or the end when it has none.
std::size_t skip_string(std::string_view content, std::size_t at) {
  const char mark = content[at];
  const bool escapes = mark == '"';
  const std::string_view three = mark == '"' ? "\"\"\"" : "'''";
  const bool is_long = content.substr(at).starts_with(three);
  for (at += is_long ? 3 : 1; at < content.size();) {
    if (escapes && content[at] == '\\') {
      at += 2;
    } else if (is_long && content.substr(at).starts_with(three)) {
      at += 3;
      while (at < content.size() && content[at] == mark)
        ++at;  // up to two may stand before the closing three
      return at;
    } else if (!is_long && content[at] == mark) {
      return at + 1;
    } else if (!is_long && content[at] == '\n') {
      return at;
    } else {
      ++at;
    }
  }
  return content.size();
}

// toml++ looks for each table that a header or a dotted key names among all that it has seen.
constexpr std::size_t kMostTables = 20'000;

// Where the document nests deeper than kDeepest, counting the tables of the header and of dotted keys, and brackets; or
// has too many tables. Right for valid documents; after the first mistake it does not matter: the parser stops there.
Verdict measure(std::string_view content) {
  struct Open {
    std::size_t levels;  // with those of the dotted key before it
    bool is_array;
  };
  std::vector<Open> open;
  std::size_t tables = 0;
  std::size_t header = 0;  // levels
  std::size_t inside = 0;  // sum of `open`
  std::size_t key = 1;     // segments of the key that is being read, or whose value is
  bool in_header = false;
  bool in_value = false;  // where a dot belongs to a number
  bool at_line_start = true;
  for (std::size_t at = 0; at < content.size();) {
    const char c = content[at];
    if (c == '"' || c == '\'') {
      at = skip_string(content, at);
      at_line_start = false;
      continue;
    }
    if (c == '#') {
      at = std::min(content.find('\n', at), content.size());
      continue;
    }
    const bool opens_header = c == '[' && open.empty() && (at_line_start || (in_header && content[at - 1] == '['));
    if (c == '\n' && open.empty()) {
      if (in_header) header = key;
      in_header = in_value = false;
      at_line_start = true;
      key = 1;
    } else if (opens_header) {
      key = in_header ? 2 : 1;  // an element of an array of tables is one level below it
      in_header = true;
      header = 0;
      ++tables;
    } else if (c == '.' && !in_value) {
      ++key;
      ++tables;
    } else if (c == '=') {
      in_value = true;
    } else if (c == ',' && !open.empty()) {
      key = 1;
      in_value = open.back().is_array;
    } else if ((c == '[' || c == '{') && !in_header) {
      open.push_back({key, c == '['});
      inside += key;
      key = 1;
      in_value = c == '[';
    } else if ((c == ']' || c == '}') && !open.empty()) {
      inside -= open.back().levels;
      open.pop_back();
      key = 1;
      in_value = true;
    }
    if (header + inside + key - 1 > kDeepest) return Refusal{at, too_deep()};
    if (tables > kMostTables) {
      return Refusal{at, fmt::format("more than {} tables and dotted keys; divide the document", kMostTables)};
    }
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') at_line_start = false;
    ++at;
  }
  return std::nullopt;
}

std::size_t offset_of(std::string_view content, const toml::source_position& position) {
  std::size_t at = 0;
  for (toml::source_index line = 1; line < position.line; ++line) {
    const std::size_t newline = content.find('\n', at);
    if (newline == std::string_view::npos) return content.size();
    at = newline + 1;
  }
  for (toml::source_index column = 1; column < position.column && at < content.size(); ++column) {
    ++at;
    while (at < content.size() && (static_cast<unsigned char>(content[at]) & 0xC0) == 0x80)
      ++at;
  }
  return at;
}

}  // namespace

Verdict check_toml(std::string_view content) {
  if (Verdict refusal = measure(content)) return refusal;
  const toml::parse_result parsed = toml::parse(content);
  if (parsed) return std::nullopt;
  std::string_view reason = parsed.error().description();
  if (reason.starts_with("Error while parsing ")) reason.remove_prefix(reason.find(": ") + 2);
  return Refusal{offset_of(content, parsed.error().source().begin), std::string(reason)};
}

}  // namespace cc
