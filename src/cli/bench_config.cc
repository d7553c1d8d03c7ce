#include "cli/bench_config.h"

#include <unistd.h>

#include <algorithm>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/address.h"
#include "cli/check.h"
#include "cli/terminal.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

constexpr std::string_view kCluster = "default";

}  // namespace

void add_bench_place(CLI::App& command, BenchPlace& place) {
  command.add_option("--size", place.size, "Bytes of each config")
      ->capture_default_str()
      ->check(between(32, 16ull << 20))
      ->type_name("BYTES");
  command.add_option("--environment", place.environment, "Environment to publish into")
      ->capture_default_str()
      ->type_name("ENV");
  command.add_option("--application", place.application, "Application to publish into")
      ->capture_default_str()
      ->type_name("APP");
  command.add_flag("--keep", place.keep, "Leave the configs that were made");
}

BenchConfigs::~BenchConfigs() {
  if (place_.keep) return;
  Progress progress("cleaning up", made_.size() + new_place_.size());
  std::size_t left = 0;
  const auto remove = [&](const std::string& path) {
    const auto answer = session_.send({.method = "DELETE", .target = path});
    if (!answer || (answer->status >= 400 && answer->status != 404)) ++left;
    progress.advance();
  };
  for (const ConfigKey& key : made_)
    remove(path_of("/v1/configs", key));
  for (const std::string& path : new_place_)
    remove(path);
  if (left > 0) {
    fmt::print(stderr, "{} of what the bench made could not be deleted; see: config-center list {}/{}\n", left,
               place_.environment, place_.application);
  }
}

void BenchConfigs::look_at_place() {
  const std::string application = "/v1/applications/" + percent_encode(place_.application);
  const auto there = session_.is_there(application);
  const auto clusters =
      session_.list("/v1/clusters", {{"environment", place_.environment}, {"application", place_.application}}, {});
  const bool has_cluster = !clusters || std::ranges::any_of(*clusters, [](const auto& each) {
    return member_text(each, "cluster") == kCluster;
  });
  if (!has_cluster) {
    new_place_.push_back(fmt::format("/v1/clusters/{}/{}/{}", percent_encode(place_.environment),
                                     percent_encode(place_.application), kCluster));
  }
  if (!there.value_or(true)) new_place_.push_back(application);
}

ConfigKey BenchConfigs::key(const std::string& name) {
  if (made_.empty()) look_at_place();
  made_.push_back(
      {place_.environment, place_.application, std::string(kCluster), fmt::format("{}-{}.txt", name, ::getpid())});
  return made_.back();
}

Result<Revision> BenchConfigs::publish(const ConfigKey& key, const std::string& start) {
  TRY(const boost::json::value outcome, session_.call_json({.method = "PUT",
                                                            .target = path_of("/v1/configs", key),
                                                            .headers = {},
                                                            .body = content(start, place_.size)}));
  return parse_uint(member_text(outcome, "revision"), "revision");
}

std::string BenchConfigs::content(const std::string& start, std::size_t size) {
  std::string out = start + " ";
  out.resize(size, 'x');
  return out;
}

}  // namespace cc::cli
