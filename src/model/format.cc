#include "model/format.h"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "model/format_check.h"
#include "model/quote.h"

namespace cc {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Verdict check(Format format, std::string_view content) {
  switch (format) {
    case Format::properties:
      return check_properties(content);
    case Format::yaml:
      return check_yaml(content);
    case Format::json:
      return check_json(content);
    case Format::toml:
      return check_toml(content);
    case Format::xml:
      return check_xml(content);
    case Format::text:
      break;
  }
  return std::nullopt;
}

}  // namespace

Position position_of(std::string_view content, std::size_t offset) {
  offset = std::min(offset, content.size());
  Position position;
  for (std::size_t i = 0; i < offset; ++i) {
    const char c = content[i];
    if (c == '\n' || (c == '\r' && (i + 1 == content.size() || content[i + 1] != '\n'))) {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

std::string duplicate_key(std::string_view content, std::string_view key, std::size_t first_offset) {
  return fmt::format("duplicate key {} (first on line {})", quoted(key), position_of(content, first_offset).line);
}

std::string too_deep() {
  return fmt::format("deeper than {} levels of nesting", kDeepest);
}

std::size_t find_control_character(std::string_view content) {
  const auto found = std::ranges::find_if(content, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
  });
  return found == content.end() ? std::string_view::npos : static_cast<std::size_t>(found - content.begin());
}

std::string control_character(char c) {
  return fmt::format("control character U+{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
}

Result<> check_format(Format format, std::string_view content) {
  const std::size_t mark = content.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::string_view body = content.substr(mark);
  Verdict verdict;
  if (const std::size_t at = find_invalid_utf8(body); at != std::string_view::npos) {
    verdict = Refusal{at, fmt::format("not valid UTF-8: byte 0x{:02X} at offset {}; save the file as UTF-8",
                                      static_cast<unsigned>(static_cast<unsigned char>(body[at])), mark + at)};
  } else {
    verdict = check(format, body);
  }
  if (!verdict) return {};
  const Position position = position_of(body, verdict->offset);
  const std::string reason = printable(verdict->reason);
  return fail(Code::invalid_argument, fmt::format("line {}, column {}: {}", position.line, position.column, reason),
              boost::json::serialize(
                  boost::json::object{{"line", position.line}, {"column", position.column}, {"reason", reason}}));
}

}  // namespace cc
