// What people type to name configs, ranges of versions and places in time, and the paths of the API made of it.
// Everything refused here is wrong usage.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "cli/session.h"
#include "model/words.h"

namespace cc::cli {

// "prod/order-service/default/application.yaml".
Result<ConfigKey> parse_key(std::string_view text);

// "/v1/configs" and a key: the path of the config, encoded.
std::string path_of(std::string_view collection, const ConfigKey& key);

// Part of a key: "prod", "prod/shop", "prod/shop/default", "prod/shop/default/app" (names that start so). Empty
// members are any.
struct Where {
  std::string environment, application, cluster, name_prefix;
  bool operator==(const Where&) const = default;
};
Result<Where> parse_where(std::string_view text);
// environment=…&application=…&cluster=…&prefix=…
Query query_of(const Where& where);

// "3..5", "draft..published", "3" (3..published), "" (published..draft).
struct VersionRange {
  std::string from, to;
  bool operator==(const VersionRange&) const = default;
};
Result<VersionRange> parse_range(std::string_view text);

// "2026-01-02", "2026-01-02T03:04:05Z", or a duration: that long before `now`.
Result<Wall> parse_time_or_ago(std::string_view text, Wall now);

// `"17"`: a revision as the API wants it in If-Match.
std::string quoted(std::uint64_t revision);

}  // namespace cc::cli
