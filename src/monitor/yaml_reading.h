// Reading what people wrote in YAML, with the line of what is wrong. For this folder's own files.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/result.h"

namespace cc::monitor {

[[nodiscard]] std::unexpected<Error> wrong_at(const YAML::Node& at, std::string_view what);

// That it is a mapping, of these keys alone.
Result<> check_keys(const YAML::Node& map, const std::vector<std::string_view>& known);

// What is not there stays as it is.
Result<> read(const YAML::Node& map, const char* key, std::string& into);
Result<> read(const YAML::Node& map, const char* key, std::optional<double>& into);
Result<> read(const YAML::Node& map, const char* key, std::chrono::milliseconds& into);
Result<> read(const YAML::Node& map, const char* key, std::map<std::string, std::string>& into);
Result<> read_needed(const YAML::Node& map, const char* key, std::string& into);

}  // namespace cc::monitor
