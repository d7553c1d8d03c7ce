#include "node/cron.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::node {
namespace {

struct Field {
  std::string_view name;
  unsigned least, most;
  std::vector<std::string_view> names;  // of the numbers from `least` on
};

const std::array<Field, 5>& fields() {
  static const std::array<Field, 5> all = {
      Field{"minute", 0, 59, {}}, Field{"hour", 0, 23, {}}, Field{"day of the month", 1, 31, {}},
      Field{"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      Field{"day of the week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}};
  return all;
}

std::optional<unsigned> value_of(const Field& field, std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (const auto named = std::ranges::find(field.names, lower); named != field.names.end()) {
    return field.least + static_cast<unsigned>(named - field.names.begin());
  }
  const auto number = parse_uint(text, "");
  if (!number || *number < field.least || *number > field.most) return std::nullopt;
  return static_cast<unsigned>(*number);
}

// "*", "5", "mon", "1-5", each with "/step".
bool is_part(const Field& field, std::string_view text) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto step = parse_uint(text.substr(slash + 1), "");
    if (!step || *step == 0 || *step > field.most) return false;
    text = text.substr(0, slash);
  }
  if (text == "*") return true;
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return value_of(field, text).has_value();
  const auto first = value_of(field, text.substr(0, dash)), last = value_of(field, text.substr(dash + 1));
  return first && last && *first <= *last;
}

}  // namespace

Result<> check_cron(std::string_view text) {
  std::vector<std::string_view> given;
  for (const std::string_view part : split(text, ' '))
    if (!part.empty()) given.push_back(part);
  if (given.size() != fields().size()) {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" is not when: it has {} fields, and there are five: minute, hour, day of the month, "
                            "month, day of the week; each day at three is \"0 3 * * *\"",
                            text, given.size()));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Field& field = fields().at(i);
    for (const std::string_view part : split(given[i], ',')) {
      if (is_part(field, part)) continue;
      return fail(Code::invalid_argument, fmt::format("\"{}\" is no {}: * or {} to {}, also as 1-3, */2 or 1,3", part,
                                                      field.name, field.least, field.most));
    }
  }
  return {};
}

}  // namespace cc::node
