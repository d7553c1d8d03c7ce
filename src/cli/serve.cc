#include <cstdlib>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "node/run.h"

namespace cc::cli {
namespace {

struct Options {
  std::string config;
  std::map<std::string, std::string> flags;  // setting → what was given
};

// "Settings of server", from "server.tls.key_file".
std::string group_of(std::string_view setting) {
  const std::size_t dot = setting.find('.');
  return dot == std::string_view::npos ? "Options" : "Settings of " + std::string(setting.substr(0, dot));
}

}  // namespace

void add_serve(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "serve", "Run a node until a signal ends it");
  command->add_option("--config", options->config, "Settings file (YAML; or CONFIG_PATH)")->type_name("FILE");
  for (const node::Setting& setting : node::all_settings()) {
    const std::string_view shown = setting.default_in_words.empty() ? setting.default_text : setting.default_in_words;
    const auto add = [&](const std::string& flag, const std::string& name, const std::string& meaning) {
      command
          ->add_option_function<std::string>(
              flag, [options, name](const std::string& text) { options->flags[name] = text; }, meaning)
          ->type_name(shown.empty() ? "TEXT" : fmt::format("[{}]", shown))
          ->group(group_of(setting.name));
    };
    const std::string name(setting.name);
    add(setting.flag(), name, std::string(setting.meaning));
    if (setting.secret) add(setting.flag() + "-file", name + "_file", std::string(setting.meaning) + ", from a file");
  }
  command->footer(examples({
      "config-center serve                                       one node, all defaults, on 127.0.0.1:8848",
      "config-center serve --data-dir /var/lib/config-center --server-host 0.0.0.0",
      "config-center serve --config /etc/config-center/config.yaml --log-level debug",
      "CONFIG_CENTER_SERVER_PORT=9000 config-center serve        each setting has a variable, too",
  }));
  on_run(*command, session, [options]() -> Result<int> {
    return node::run_server({.config_path = options->config, .flags = options->flags});
  });
}

}  // namespace cc::cli
