#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string name;
  std::optional<std::string> department, owner, description;
  Page page;
};

std::string path_of(const std::string& name) {
  return "/v1/applications/" + percent_encode(name);
}

// What was given, on top of what is there.
json::object changed(const Options& options, const json::value& before) {
  const auto one = [&](const std::optional<std::string>& given, std::string_view name) {
    return given ? *given : member_text(before, name);
  };
  return {{"department", one(options.department, "department")},
          {"owner", one(options.owner, "owner")},
          {"description", one(options.description, "description")}};
}

Result<> list(Session& session, const Options& options) {
  TRY(const json::array items, session.list("/v1/applications", {}, options.page));
  return session.print_list(items,
                            {{"NAME", "name"},
                             {"DEPARTMENT", "department"},
                             {"OWNER", "owner"},
                             {"DESCRIPTION", "description"},
                             {"CREATED", "created"}},
                            "no applications; publishing into one makes it, and so does: config-center app add NAME");
}

Result<> show(Session& session, const Options& options) {
  TRY(const json::value item, session.get_json(path_of(options.name)));
  return session.print(item, [&] { return to_yaml(item); });
}

Result<> add(Session& session, const Options& options) {
  TRY(const bool there, session.is_there(path_of(options.name)));
  if (there) {
    return fail(Code::already_exists,
                fmt::format("there is an application \"{0}\" already; change it with: config-center app set {0}",
                            options.name));
  }
  if (session.dry_run) return session.would(fmt::format("add the application \"{}\"", options.name));
  TRY(const json::value item, session.send_json("PUT", path_of(options.name), changed(options, {})));
  return session.print(item, [&] { return fmt::format("added the application {}\n", options.name); });
}

Result<> set(Session& session, const Options& options) {
  if (!options.department && !options.owner && !options.description) {
    return wrong_usage("say what to change: --department, --owner or --description");
  }
  TRY(const json::value before, session.get_json(path_of(options.name)));
  if (session.dry_run) return session.would(fmt::format("change the application \"{}\"", options.name));
  TRY(const json::value item, session.send_json("PUT", path_of(options.name), changed(options, before)));
  return session.print(item, [&] { return fmt::format("changed the application {}\n", options.name); });
}

Result<> remove(Session& session, const Options& options) {
  const std::string what = fmt::format("delete the application \"{}\"", options.name);
  if (session.dry_run) {
    TRYV(session.get_json(path_of(options.name)));
    TRYV(session.must_hold_nothing(options.name, {{"application", options.name}}));
    return session.would(what);
  }
  TRYV(session.confirm(what));
  TRY(const json::value outcome, session.call_json({.method = "DELETE", .target = path_of(options.name)}));
  return session.print(outcome, [&] { return fmt::format("deleted the application {}\n", options.name); });
}

void add_members(CLI::App& command, Options& options) {
  command.add_option("--department", options.department, "Department it belongs to")->type_name("NAME");
  command.add_option("--owner", options.owner, "Who answers for it")->type_name("TEXT");
  command.add_option("--description", options.description, "What it is")->type_name("TEXT");
}

}  // namespace

void add_app(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group = add_command(root, "app", "Administer applications and their clusters")->require_subcommand(1);
  group->footer(examples({"config-center app list", "config-center app add shop --department sales --owner lilei",
                          "config-center app cluster add dev shop beijing"}));
  const auto named = [&](const std::string& name, const std::string& meaning) {
    CLI::App* command = add_command(*group, name, meaning);
    command->add_option("name", options->name, "Name of the application")->required()->type_name("APP");
    return command;
  };

  CLI::App* command = add_command(*group, "list", "List applications");
  add_page_options(*command, options->page);
  command->footer(examples({"config-center app list"}));
  on_run(*command, session, [&session, options] { return list(session, *options); });

  command = named("show", "Show one application");
  command->footer(examples({"config-center app show shop"}));
  on_run(*command, session, [&session, options] { return show(session, *options); });

  command = named("add", "Add an application");
  add_members(*command, *options);
  add_dry_run(*command, session);
  command->footer(examples({"config-center app add shop --department sales --owner lilei"}));
  on_run(*command, session, [&session, options] { return add(session, *options); });

  command = named("set", "Change department, owner or description; what is not given stays");
  add_members(*command, *options);
  add_dry_run(*command, session);
  command->footer(examples({"config-center app set shop --owner hanmeimei"}));
  on_run(*command, session, [&session, options] { return set(session, *options); });

  command = named("delete", "Delete an application that holds no configs");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center app delete shop --yes"}));
  on_run(*command, session, [&session, options] { return remove(session, *options); });

  add_app_cluster(*group, session);
}

}  // namespace cc::cli
