#include "cli/check.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace cc::cli {

Check one_of(std::vector<std::string> allowed) {
  return [allowed = std::move(allowed)](const std::string& text) {
    if (std::ranges::find(allowed, text) != allowed.end()) return std::string();
    return fmt::format("\"{}\" is none of {}", text, fmt::join(allowed, ", "));
  };
}

Check between(std::uint64_t least, std::uint64_t most) {
  return [least, most](const std::string& text) {
    const auto number = parse_uint(text, "");
    if (number && *number >= least && *number <= most) return std::string();
    return most == std::numeric_limits<std::uint64_t>::max()
               ? fmt::format("\"{}\" is not a whole number from {}", text, least)
               : fmt::format("\"{}\" is not a whole number from {} to {}", text, least, most);
  };
}

Check positive() {
  return between(1, std::numeric_limits<std::uint64_t>::max());
}

Check whole_number() {
  return between(0, std::numeric_limits<std::uint64_t>::max());
}

}  // namespace cc::cli
