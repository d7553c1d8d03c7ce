// The keys of the edge copy in Redis, as docs/edge.md describes them to who reads there.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace cc::edge {

struct Keys {
  std::string prefix;  // cache.key_prefix

  std::string content(std::string_view config) const { return fmt::format("{}content:{}", prefix, config); }
  std::string meta(std::string_view config) const { return fmt::format("{}meta:{}", prefix, config); }
  std::string changes() const { return prefix + "changes"; }    // a channel
  std::string position() const { return prefix + "position"; }  // absent while the copy is not whole
  std::string count(std::string_view of) const { return fmt::format("{}count:{}", prefix, of); }
  std::string notices(std::string_view list) const { return fmt::format("{}{}", prefix, list); }
  std::string filling() const { return prefix + "filling"; }  // whose filling it is that goes on
};

}  // namespace cc::edge
