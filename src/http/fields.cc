#include "http/fields.h"

#include <array>

namespace cc::http {
namespace {

constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c)
    table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c)
    table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

}  // namespace

bool is_token_character(char c) noexcept {
  return kToken[static_cast<unsigned char>(c)];
}

std::string_view trim_blanks(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view next_element(std::string_view& rest) noexcept {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != ','); ++end) {
    if (rest[end] == '"') quoted = !quoted;
  }
  const std::string_view element = trim_blanks(rest.substr(0, end));
  rest.remove_prefix(end < rest.size() ? end + 1 : end);
  return element;
}

}  // namespace cc::http
