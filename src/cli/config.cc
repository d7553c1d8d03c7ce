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
  auto settings = node::load_settings(sources_of(file));
  if (!settings) return wrong_usage(std::move(settings).error());
  if (auto fine = node::check_settings(*settings); !fine) return wrong_usage(std::move(fine).error());
  return session.print({{"file", file}, {"valid", true}}, [&] { return fmt::format("{}: valid\n", name_of(file)); });
}

// A person, and the node, read the file; a program has it flat, with where each value came from.
Result<> show(Session& session, const std::string& file) {
  auto settings = node::load_settings(sources_of(file));
  if (!settings) return wrong_usage(std::move(settings).error());
  if (session.output != Output::json) return write_output(node::show_settings(*settings));
  boost::json::object all;
  for (const node::Setting& setting : node::all_settings()) {
    const std::string name(setting.name), value = setting.get(*settings);
    all[name] = {{"value", setting.secret && !value.empty() ? "***" : value}, {"origin", settings->origin.at(name)}};
  }
  return session.print(all, {});
}

Result<> reference(Session& session) {
  boost::json::array all;
  for (const node::Setting& setting : node::all_settings()) {
    const std::vector<std::string> variables = setting.environment_variables();
    all.push_back({{"name", setting.name},
                   {"default", setting.default_in_words.empty() ? setting.default_text : setting.default_in_words},
                   {"meaning", setting.meaning},
                   {"secret", setting.secret},
                   {"flag", setting.flag()},
                   {"variables", boost::json::array(variables.begin(), variables.end())}});
  }
  return session.print(all, [] { return node::settings_reference(); });
}

}  // namespace

void add_config(CLI::App& root, Session& session) {
  CLI::App* group = add_command(root, "config", "Check and show the settings of a node")->require_subcommand(1);
  group->footer(examples({"config-center config check /etc/config-center/config.yaml", "config-center config show"}));
  auto file = std::make_shared<std::string>();
  const std::string meaning = "Settings file; without it CONFIG_PATH, or only the environment";

  CLI::App* check_command = add_command(*group, "check", "Say whether a settings file is valid, and where it is not");
  check_command->add_option("file,--config", *file, meaning)->type_name("FILE");
  check_command->footer(examples({"config-center config check /etc/config-center/config.yaml",
                                  "APP_ENV=production config-center config check config.yaml"}));
  on_run(*check_command, session, [&session, file] { return check(session, *file); });

  CLI::App* show_command =
      add_command(*group, "show", "Print the effective settings as YAML, secrets masked, with where each came from");
  show_command->add_option("file,--config", *file, meaning)->type_name("FILE");
  show_command->footer(examples({"config-center config show", "config-center config show config.yaml | grep port"}));
  on_run(*show_command, session, [&session, file] { return show(session, *file); });

  CLI::App* reference_command =
      add_command(*group, "reference", "Print every setting with its default and meaning, as Markdown");
  reference_command->footer(examples({"config-center config reference", "config-center config reference -o json"}));
  on_run(*reference_command, session, [&session] { return reference(session); });
}

}  // namespace cc::cli
