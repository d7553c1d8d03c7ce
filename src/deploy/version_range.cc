#include "deploy/version_range.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::deploy {
namespace {

std::vector<unsigned long> numbers_of(std::string_view version) {
  if (const auto colon = version.find(':'); colon != std::string_view::npos) version.remove_prefix(colon + 1);
  std::vector<unsigned long> numbers;
  while (!version.empty()) {
    unsigned long number = 0;
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
    if (error != std::errc()) break;
    numbers.push_back(number);
    version.remove_prefix(static_cast<std::size_t>(end - version.data()));
    if (!version.starts_with('.')) break;
    version.remove_prefix(1);
  }
  return numbers;
}

bool is_version(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
         text.front() != '.' && text.back() != '.' && !text.contains("..");
}

// As many numbers of a version as a condition has.
std::vector<unsigned long> cut(std::vector<unsigned long> version, std::size_t size) {
  version.resize(size);  // "15" is 15.0
  return version;
}

}  // namespace

Result<VersionRange> VersionRange::parse(std::string_view text) {
  // The longer ones first.
  static constexpr std::array<std::pair<std::string_view, Relation>, 5> kRelations{{{"<=", Relation::at_most},
                                                                                    {">=", Relation::at_least},
                                                                                    {"<", Relation::less},
                                                                                    {">", Relation::greater},
                                                                                    {"=", Relation::equal}}};
  VersionRange range;
  range.text_ = std::string(trim(text));
  for (std::string_view condition : split(range.text_, ' ')) {
    if (condition.empty()) continue;
    const std::string_view whole = condition;
    Relation relation = Relation::equal;
    for (const auto& [sign, meaning] : kRelations) {
      if (!condition.starts_with(sign)) continue;
      relation = meaning;
      condition.remove_prefix(sign.size());
      break;
    }
    if (!is_version(condition)) {
      return fail(Code::invalid_argument,
                  fmt::format("\"{}\" is no condition on a version: give one such as >=15, <18 or 12", whole));
    }
    range.conditions_.push_back({.relation = relation, .version = numbers_of(condition)});
  }
  return range;
}

bool VersionRange::contains(std::string_view version) const {
  const auto numbers = numbers_of(version);
  return std::ranges::all_of(conditions_, [&](const Condition& condition) {
    // 15.4 is at most 15, and not less than 15, as people mean it.
    const auto order = cut(numbers, condition.version.size()) <=> condition.version;
    switch (condition.relation) {
      case Relation::equal:
        return order == 0;
      case Relation::less:
        return order < 0;
      case Relation::at_most:
        return order <= 0;
      case Relation::greater:
        return order > 0;
      case Relation::at_least:
        return order >= 0;
    }
    std::unreachable();
  });
}

}  // namespace cc::deploy
