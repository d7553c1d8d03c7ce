#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

struct Options {
  std::string name, description;
  Page page;
};

std::string path_of(const std::string& name) {
  return "/v1/environments/" + percent_encode(name);
}

Result<> list(Session& session) {
  TRY(const boost::json::array items, session.list("/v1/environments", {}, {}));
  return session.print_list(items, {{"NAME", "name"}, {"DESCRIPTION", "description"}, {"CREATED", "created"}},
                            "no environments; make one with: config-center env add NAME");
}

Result<> show(Session& session, const Options& options) {
  TRY(const boost::json::value item, session.get_json(path_of(options.name)));
  return session.print(item, [&] { return to_yaml(item); });
}

Result<> add(Session& session, const Options& options) {
  TRY(const bool there, session.is_there(path_of(options.name)));
  if (there) {
    return fail(Code::already_exists,
                fmt::format("there is an environment \"{0}\" already; change it with: config-center env set {0}",
                            options.name));
  }
  if (session.dry_run) return session.would(fmt::format("add the environment \"{}\"", options.name));
  TRY(const boost::json::value item,
      session.send_json("PUT", path_of(options.name), {{"description", options.description}}));
  return session.print(item, [&] { return fmt::format("added the environment {}\n", options.name); });
}

Result<> set(Session& session, const Options& options) {
  TRYV(session.get_json(path_of(options.name)));
  if (session.dry_run) return session.would(fmt::format("change the environment \"{}\"", options.name));
  TRY(const boost::json::value item,
      session.send_json("PUT", path_of(options.name), {{"description", options.description}}));
  return session.print(item, [&] { return fmt::format("changed the environment {}\n", options.name); });
}

Result<> remove(Session& session, const Options& options) {
  const std::string what = fmt::format("delete the environment \"{}\"", options.name);
  if (session.dry_run) {
    TRYV(session.get_json(path_of(options.name)));
    TRYV(session.must_hold_nothing(options.name, {{"environment", options.name}}));
    return session.would(what);
  }
  TRYV(session.confirm(what));
  TRY(const boost::json::value outcome, session.call_json({.method = "DELETE", .target = path_of(options.name)}));
  return session.print(outcome, [&] { return fmt::format("deleted the environment {}\n", options.name); });
}

}  // namespace

void add_env(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group = add_command(root, "env", "Administer environments")->require_subcommand(1);
  group->footer(examples({"config-center env list", "config-center env add qa --description \"quality assurance\""}));
  const auto named = [&](const std::string& name, const std::string& meaning) {
    CLI::App* command = add_command(*group, name, meaning);
    command->add_option("name", options->name, "Name of the environment")->required()->type_name("ENV");
    return command;
  };

  CLI::App* command = add_command(*group, "list", "List environments");
  command->footer(examples({"config-center env list"}));
  on_run(*command, session, [&session] { return list(session); });

  command = named("show", "Show one environment");
  command->footer(examples({"config-center env show prod"}));
  on_run(*command, session, [&session, options] { return show(session, *options); });

  command = named("add", "Add an environment");
  command->add_option("--description", options->description, "What it is for")->type_name("TEXT");
  add_dry_run(*command, session);
  command->footer(examples({"config-center env add qa --description \"quality assurance\""}));
  on_run(*command, session, [&session, options] { return add(session, *options); });

  command = named("set", "Change the description of an environment");
  command->add_option("--description", options->description, "What it is for")->required()->type_name("TEXT");
  add_dry_run(*command, session);
  command->footer(examples({"config-center env set qa --description \"acceptance\""}));
  on_run(*command, session, [&session, options] { return set(session, *options); });

  command = named("delete", "Delete an environment that holds no configs");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center env delete qa --yes"}));
  on_run(*command, session, [&session, options] { return remove(session, *options); });
}

}  // namespace cc::cli
