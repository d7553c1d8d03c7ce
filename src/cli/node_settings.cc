#include "cli/node_settings.h"

#include <CLI/CLI.hpp>

#include "cli/session.h"

namespace cc::cli {

CLI::App& add_setting(CLI::App& command, const std::shared_ptr<NodeOptions>& options, const std::string& flag,
                      const std::string& setting, const std::string& meaning, const std::string& type) {
  command
      .add_option_function<std::string>(
          flag, [options, setting](const std::string& text) { options->flags[setting] = text; }, meaning)
      ->type_name(type);
  return command;
}

void add_node_options(CLI::App& command, const std::shared_ptr<NodeOptions>& options) {
  command.add_option("--config", options->config, "Settings file of the node (YAML; or CONFIG_PATH)")
      ->type_name("FILE");
  add_setting(command, options, "--data-dir", "data_dir", "Its data folder; else as its settings say", "DIR");
}

Result<node::Settings> node_settings(const NodeOptions& options) {
  auto settings = node::load_settings({.config_path = options.config, .flags = options.flags});
  if (!settings) return wrong_usage(std::move(settings).error());
  return settings;
}

}  // namespace cc::cli
