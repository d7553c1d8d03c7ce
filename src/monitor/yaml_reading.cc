#include "monitor/yaml_reading.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::monitor {

std::unexpected<Error> wrong_at(const YAML::Node& at, std::string_view what) {
  return fail(Code::invalid_argument, fmt::format("line {}: {}", at.Mark().line + 1, what));
}

Result<> check_keys(const YAML::Node& map, const std::vector<std::string_view>& known) {
  if (!map.IsMap()) return wrong_at(map, "here are keys with values");
  for (const auto& each : map) {
    const auto key = each.first.as<std::string>("");
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string_view near = nearest(key, known);
    return wrong_at(each.first, fmt::format("there is no key \"{}\"{}", key,
                                            near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
  return {};
}

Result<> read(const YAML::Node& map, const char* key, std::string& into) {
  const YAML::Node value = map[key];
  if (!value) return {};
  if (!value.IsScalar() || value.Scalar().empty()) return wrong_at(value, fmt::format("{} is a text", key));
  into = value.Scalar();
  return {};
}

Result<> read_needed(const YAML::Node& map, const char* key, std::string& into) {
  if (!map[key]) return wrong_at(map, fmt::format("{} is missing", key));
  return read(map, key, into);
}

Result<> read(const YAML::Node& map, const char* key, std::optional<double>& into) {
  const YAML::Node value = map[key];
  double number = 0;
  if (!value) return {};
  if (!YAML::convert<double>::decode(value, number)) return wrong_at(value, fmt::format("{} is a number", key));
  into = number;
  return {};
}

Result<> read(const YAML::Node& map, const char* key, std::chrono::milliseconds& into) {
  std::string text;
  TRYV(read(map, key, text));
  if (text.empty()) return {};
  auto duration = parse_duration(text);
  if (!duration) return wrong_at(map[key], fmt::format("{}: {}", key, duration.error().message));
  into = *duration;
  return {};
}

Result<> read(const YAML::Node& map, const char* key, std::map<std::string, std::string>& into) {
  const YAML::Node value = map[key];
  if (!value) return {};
  if (!value.IsMap()) return wrong_at(value, fmt::format("{} are names with values", key));
  for (const auto& each : value) {
    if (!each.second.IsScalar()) return wrong_at(each.second, "here is a text");
    into[each.first.as<std::string>()] = each.second.Scalar();
  }
  return {};
}

}  // namespace cc::monitor
