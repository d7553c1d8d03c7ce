#include "http/etag.h"

#include <algorithm>

#include "http/fields.h"

namespace cc::http {
namespace {

bool is_etag_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

}  // namespace

std::string etag(std::string_view opaque) {
  std::string out;
  out.reserve(opaque.size() + 2);
  out += '"';
  out += opaque;
  out += '"';
  return out;
}

bool EtagList::matches_weakly(std::string_view opaque) const {
  return any || std::ranges::any_of(tags, [&](const Tag& tag) { return tag.opaque == opaque; });
}

std::optional<EtagList> parse_etags(std::string_view value) {
  EtagList list;
  if (trim_blanks(value) == "*") {
    list.any = true;
    return list;
  }
  while (!value.empty()) {
    std::string_view element = next_element(value);
    if (element.empty()) continue;
    const bool weak = element.starts_with("W/");
    if (weak) element.remove_prefix(2);
    if (element.size() < 2 || element.front() != '"' || element.back() != '"') return std::nullopt;
    element = element.substr(1, element.size() - 2);
    if (!std::ranges::all_of(element, is_etag_character)) return std::nullopt;
    list.tags.push_back({element, weak});
  }
  if (list.tags.empty()) return std::nullopt;
  return list;
}

bool none_match_hits(std::string_view if_none_match, std::string_view opaque) {
  if (if_none_match.empty()) return false;
  const auto list = parse_etags(if_none_match);
  return list && list->matches_weakly(opaque);
}

}  // namespace cc::http
