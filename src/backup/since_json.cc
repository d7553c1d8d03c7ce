#include "backup/since_json.h"

#include <boost/json.hpp>

#include "base/text.h"

namespace cc::backup {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}
std::uint64_t number_of(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::uint64_t>();
}
// Throws, as the others do.
Wall time_of(const json::object& object, std::string_view name) {
  return parse_time(text_of(object, name)).value();
}

state::Since read(const json::object& object) {
  state::Since since{.cluster_id = text_of(object, "cluster_id"),
                     .from = number_of(object, "from_revision"),
                     .found = time_of(object, "found"),
                     .applied = number_of(object, "applied"),
                     .revision = number_of(object, "revision"),
                     .last_release = number_of(object, "last_release"),
                     .last_audit = number_of(object, "last_audit")};
  for (const json::value& each : object.at("configs").as_array()) {
    const json::object& config = each.as_object();
    since.configs.push_back({.key = text_of(config, "key"),
                             .version = number_of(config, "version"),
                             .deleted = config.at("deleted").as_bool(),
                             .author = text_of(config, "author"),
                             .time = time_of(config, "time")});
  }
  for (const json::value& each : object.at("others").as_array()) {
    const json::object& other = each.as_object();
    since.others.push_back({.action = text_of(other, "action"),
                            .target = text_of(other, "target"),
                            .actor = text_of(other, "actor"),
                            .time = time_of(other, "time")});
  }
  return since;
}

}  // namespace

json::object to_json(const state::Since& since) {
  json::array configs;
  json::array others;
  configs.reserve(since.configs.size());
  others.reserve(since.others.size());
  for (const auto& config : since.configs) {
    configs.push_back({{"key", config.key},
                       {"version", config.version},
                       {"deleted", config.deleted},
                       {"author", config.author},
                       {"time", format_time(config.time)}});
  }
  for (const auto& other : since.others) {
    others.push_back({{"action", other.action},
                      {"target", other.target},
                      {"actor", other.actor},
                      {"time", format_time(other.time)}});
  }
  return {{"cluster_id", since.cluster_id}, {"from_revision", since.from},   {"found", format_time(since.found)},
          {"applied", since.applied},       {"revision", since.revision},    {"last_release", since.last_release},
          {"last_audit", since.last_audit}, {"configs", std::move(configs)}, {"others", std::move(others)}};
}

Result<state::Since> since_of(std::string_view text) {
  try {
    return read(json::parse(text).as_object());
  } catch (const std::exception&) {
    return fail(Code::invalid_argument, "this is not what `config-center backup compare -o json` writes");
  }
}

}  // namespace cc::backup
