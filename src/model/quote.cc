#include "model/quote.h"

#include <fmt/format.h>

#include "base/text.h"

namespace cc {

std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  const std::size_t invalid = find_invalid_utf8(text.substr(0, kLongest + 4));
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool starts_character = byte < 0x80 || byte >= 0xC0;
    if (i >= kLongest && (starts_character || i >= kLongest + 4)) {
      out += "…";
      break;
    }
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && i >= invalid)) {
      out += fmt::format("\\x{:02X}", byte);
    } else {
      if (byte == '"' || byte == '\\') out += '\\';
      out += text[i];
    }
  }
  return out + '"';
}

std::string on_one_line(std::string_view text) {
  const std::size_t invalid = find_invalid_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && i >= invalid)) {
      out += fmt::format("\\x{:02X}", byte);
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace cc
