// RFC 8259 by Boost.JSON; duplicate keys are ours.
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include "model/format_check.h"
#include "model/quote.h"

namespace cc {
namespace {

namespace json = boost::json;

// The parser tells its handler what it reads, not where: keys are counted, and a refused one is found by its number.
class Keys {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  struct Duplicate {
    std::string key;
    std::size_t first, second;
  };
  std::optional<Duplicate> duplicate;

  bool on_object_begin(json::error_code&) {
    open_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, json::error_code&) {
    open_.pop_back();
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    key_.append(part.data(), part.size());
    const auto [seen, is_new] = open_.back().try_emplace(std::move(key_), count_);
    key_.clear();
    if (!is_new) {
      duplicate = Duplicate{seen->first, seen->second, count_};
      error = json::error::syntax;
    }
    ++count_;
    return is_new;
  }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  std::vector<std::map<std::string, std::size_t, std::less<>>> open_;  // per object: key → its number
  std::string key_;
  std::size_t count_ = 0;
};

// In content that is well-formed up to the end of that key.
std::size_t offset_of_key(std::string_view content, std::size_t number) {
  for (std::size_t at = content.find('"'); at != std::string_view::npos; at = content.find('"', at)) {
    const std::size_t start = at++;
    while (at < content.size() && content[at] != '"')
      at += content[at] == '\\' ? 2 : 1;
    if (at >= content.size()) return start;
    const std::size_t after = content.find_first_not_of(" \t\r\n", ++at);
    // The last key known to be read may stand before something that is not a colon.
    if (number == 0 && (after == std::string_view::npos || content[after] == ':')) return start;
    if (after != std::string_view::npos && content[after] == ':') --number;
  }
  return content.size();
}

std::string reason(std::string_view content, std::size_t at, const json::error_code& error) {
  const char found = at < content.size() ? content[at] : '\0';
  const std::size_t before = content.substr(0, at).find_last_not_of(" \t\r\n");
  if (error == json::error::too_deep) return too_deep();
  if (error == json::error::incomplete) return "the document ends too early";
  if (error == json::error::extra_data) return "something follows the end of the document";
  if (error == json::error::syntax) {
    if ((found == '}' || found == ']') && before != std::string_view::npos && content[before] == ',') {
      return "trailing comma";
    }
    if (found == '/' || found == '#') return "comments are not JSON";
    if (found == '\'') return "strings stand in double quotation marks";
  }
  std::size_t end = std::min(at + 1, content.size());
  while (end < content.size() && (static_cast<unsigned char>(content[end]) & 0xC0) == 0x80)
    ++end;
  return fmt::format("{} at {}", error.message(), quoted(content.substr(at, end - at)));
}

}  // namespace

Verdict check_json(std::string_view content) {
  if (content.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Refusal{content.size(), "empty; the smallest JSON document is null, {} or []"};
  }
  json::parse_options options;
  options.max_depth = kDeepest;
  json::basic_parser<Keys> parser(options);
  json::error_code error;
  std::size_t at = parser.write_some(false, content.data(), content.size(), error);
  if (const auto& duplicate = parser.handler().duplicate) {
    const std::size_t first = offset_of_key(content, duplicate->first);
    return Refusal{offset_of_key(content, duplicate->second), duplicate_key(content, duplicate->key, first)};
  }
  if (!error && at < content.size()) error = json::error::extra_data;
  if (error == json::error::extra_data) at = content.find_first_not_of(" \t\r\n", at);
  if (error) return Refusal{at, reason(content, at, error)};
  return std::nullopt;
}

}  // namespace cc
