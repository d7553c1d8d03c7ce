#include "cli/address.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::cli {
namespace {

bool is_version(std::string_view text) {
  return text == "draft" || text == "published" || parse_uint(text, "").value_or(0) > 0;
}

}  // namespace

Result<ConfigKey> parse_key(std::string_view text) {
  auto key = ConfigKey::parse(text);
  if (!key) return wrong_usage(std::move(key).error());
  return key;
}

std::string path_of(std::string_view collection, const ConfigKey& key) {
  return fmt::format("{}/{}/{}/{}/{}", collection, percent_encode(key.environment), percent_encode(key.application),
                     percent_encode(key.cluster), percent_encode(key.name, true));
}

Result<Where> parse_where(std::string_view text) {
  Where where;
  const std::array<std::string*, 3> members = {&where.environment, &where.application, &where.cluster};
  std::string_view rest = text;
  for (std::string* member : members) {
    if (rest.empty()) return where;
    const std::size_t slash = rest.find('/');
    *member = rest.substr(0, slash);
    if (member->empty()) {
      return wrong_usage(
          fmt::format("\"{}\" is not the start of a config key; write dev, dev/shop or dev/shop/default", text));
    }
    rest = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  }
  where.name_prefix = rest;
  return where;
}

Query query_of(const Where& where) {
  return {{"environment", where.environment},
          {"application", where.application},
          {"cluster", where.cluster},
          {"prefix", where.name_prefix}};
}

Result<VersionRange> parse_range(std::string_view text) {
  if (text.empty()) return VersionRange{"published", "draft"};
  const std::size_t dots = text.find("..");
  VersionRange range = dots == std::string_view::npos
                           ? VersionRange{std::string(text), "published"}
                           : VersionRange{std::string(text.substr(0, dots)), std::string(text.substr(dots + 2))};
  if (!is_version(range.from) || !is_version(range.to)) {
    return wrong_usage(fmt::format(
        "\"{}\" is not a range of versions; write 3..5, 3 (against what is published) or published..draft", text));
  }
  return range;
}

Result<Wall> parse_time_or_ago(std::string_view text, Wall now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  auto time = parse_time(text);
  if (!time) {
    return wrong_usage(
        fmt::format("\"{}\" is no time; write 2026-01-02, 2026-01-02T03:04:05Z, or how long ago: 30m, 24h, 7d", text));
  }
  return time;
}

std::string quoted(std::uint64_t revision) {
  return fmt::format("\"{}\"", revision);
}

}  // namespace cc::cli
