#include <cstdlib>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "node/settings.h"

namespace cc::cli {
namespace {

node::SettingSources sources_of(const std::string& file) {
  return {.config_path = file, .flags = {}};
}

std::string name_of(const std::string& file) {
  if (!file.empty()) return file;
  const char* path = std::getenv("CONFIG_PATH");
  return path != nullptr ? path : "the settings (no file, only the environment)";
}

Result<> check(Session& session, const std::string& file) {
  TRY(const node::Settings settings, node::load_settings(sources_of(file)));
  TRYV(node::check_settings(settings));
  session.print({{"file", file}, {"valid", true}}, [&] { return fmt::format("{}: valid\n", name_of(file)); });
  return {};
}

Result<> show(const std::string& file) {
  TRY(const node::Settings settings, node::load_settings(sources_of(file)));
  write_output(node::show_settings(settings));
  return {};
}

}  // namespace

void add_config(CLI::App& root, Session& session) {
  CLI::App* group = root.add_subcommand("config", "Check and show the settings of a node")->require_subcommand(1);
  group->footer(examples({"config-center config check /etc/config-center/config.yaml", "config-center config show"}));
  auto file = std::make_shared<std::string>();
  const std::string meaning = "Settings file; without it CONFIG_PATH, or only the environment";

  CLI::App* check_command = group->add_subcommand("check", "Say whether a settings file is valid, and where it is not");
  check_command->add_option("file,--config", *file, meaning)->type_name("FILE");
  check_command->footer(examples({"config-center config check /etc/config-center/config.yaml",
                                  "APP_ENV=production config-center config check config.yaml"}));
  on_run(*check_command, session, [&session, file] { return check(session, *file); });

  CLI::App* show_command =
      group->add_subcommand("show", "Print the effective settings as YAML, secrets masked, with where each came from");
  show_command->add_option("file,--config", *file, meaning)->type_name("FILE");
  show_command->footer(examples({"config-center config show", "config-center config show config.yaml | grep port"}));
  on_run(*show_command, session, [file] { return show(*file); });

  CLI::App* reference =
      group->add_subcommand("reference", "Print every setting with its default and meaning, as Markdown");
  reference->footer(examples({"config-center config reference"}));
  on_run(*reference, session, []() -> Result<> {
    write_output(node::settings_reference());
    return {};
  });
}

}  // namespace cc::cli
