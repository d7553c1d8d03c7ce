// The settings of a node, for commands that work on its data folder without it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "node/settings.h"

namespace CLI {
class App;
}

namespace cc::cli {

struct NodeOptions {
  std::string config;
  std::map<std::string, std::string> flags;  // setting → what was given
};
// --config and --data-dir.
void add_node_options(CLI::App& command, const std::shared_ptr<NodeOptions>& options);
// An option that stands for a setting of the node.
CLI::App& add_setting(CLI::App& command, const std::shared_ptr<NodeOptions>& options, const std::string& flag,
                      const std::string& setting, const std::string& meaning, const std::string& type);
// Wrong usage when something is wrong with them.
Result<node::Settings> node_settings(const NodeOptions& options);

}  // namespace cc::cli
