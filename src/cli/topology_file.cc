#include "cli/topology_file.h"

#include <algorithm>
#include <array>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/session.h"
#include "node/settings.h"

namespace cc::cli {
namespace {

// Settings of the nodes that are none, or that follow from the topology.
Result<> check_settings(const std::string& file, const std::map<std::string, std::string>& settings) {
  constexpr std::array<std::string_view, 6> kOurs{
      "raft.node_id", "raft.address", "raft.peers", "server.port", "monitoring.prometheus_port", "data_dir"};
  std::vector<std::string_view> known;
  for (const node::Setting& setting : node::all_settings())
    known.push_back(setting.name);
  for (const auto& [name, value] : settings) {
    if (std::ranges::find(kOurs, name) != kOurs.end()) {
      return wrong_usage(fmt::format("{}: {} follows from components.app and its hosts: leave it out", file, name));
    }
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string_view near = nearest(name, known);
    return wrong_usage(
        fmt::format("{}: there is no setting \"{}\" of a node{}; all of them: config-center config reference", file,
                    name, near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
  return {};
}

}  // namespace

void add_topology_option(CLI::App& command, std::string& file) {
  command.add_option("-t,--topology", file, "The file")->capture_default_str()->type_name("FILE");
}

Result<deploy::Topology> read_topology_file(const std::string& file) {
  auto text = read_file(file);
  if (!text && text.error().code == Code::not_found) {
    return wrong_usage(
        fmt::format("there is no {}: begin with config-center topology init, or name yours with -t", file));
  }
  if (!text) return wrong_usage(std::move(text).error());
  auto topology = deploy::read_topology(*text, file);
  if (!topology) return wrong_usage(std::move(topology).error());
  TRYV(check_settings(file, topology->app.settings));
  for (const auto& [host, settings] : topology->app.host_settings)
    TRYV(check_settings(file, settings));
  return topology;
}

Path secrets_folder(const std::string& file, const deploy::Topology& topology) {
  return Path(file).parent_path() / topology.security.secrets_dir;
}

}  // namespace cc::cli
