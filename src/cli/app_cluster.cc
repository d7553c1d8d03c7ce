#include <algorithm>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

struct Options {
  std::string where, environment, application, name, description;
};

std::string path_of(const Options& options) {
  return fmt::format("/v1/clusters/{}/{}/{}", percent_encode(options.environment), percent_encode(options.application),
                     percent_encode(options.name));
}

std::string name_of(const Options& options) {
  return fmt::format("{}/{}/{}", options.environment, options.application, options.name);
}

Result<> list(Session& session, const Options& options) {
  TRY(const Where where, parse_where(options.where));
  if (!where.cluster.empty()) return wrong_usage("list the clusters of ENVIRONMENT or ENVIRONMENT/APPLICATION");
  TRY(const boost::json::array items,
      session.list("/v1/clusters", {{"environment", where.environment}, {"application", where.application}}, {}));
  return session.print_list(items,
                            {{"ENVIRONMENT", "environment"},
                             {"APPLICATION", "application"},
                             {"CLUSTER", "cluster"},
                             {"DESCRIPTION", "description"},
                             {"CREATED", "created"}},
                            "no clusters; publishing into one makes it");
}

Result<> put(Session& session, const Options& options, std::string_view doing, std::string_view done) {
  if (session.dry_run) return session.would(fmt::format("{} the cluster {}", doing, name_of(options)));
  TRY(const boost::json::value item,
      session.send_json("PUT", path_of(options), {{"description", options.description}}));
  return session.print(item, [&] { return fmt::format("{} the cluster {}\n", done, name_of(options)); });
}

Result<bool> is_there(Session& session, const Options& options) {
  TRY(const boost::json::array all,
      session.list("/v1/clusters", {{"environment", options.environment}, {"application", options.application}}, {}));
  return std::ranges::any_of(all, [&](const auto& each) { return member_text(each, "cluster") == options.name; });
}

Result<> must_be_there(Session& session, const Options& options) {
  TRY(const bool there, is_there(session, options));
  if (there) return {};
  return fail(Code::not_found, fmt::format("there is no cluster {}; there are: config-center app cluster list {}/{}",
                                           name_of(options), options.environment, options.application));
}

Result<> add(Session& session, const Options& options) {
  TRY(const bool there, is_there(session, options));
  if (there) {
    return fail(
        Code::already_exists,
        fmt::format("there is a cluster {} already; change it with: config-center app cluster set", name_of(options)));
  }
  if (session.dry_run) {
    TRYV(session.get_json("/v1/environments/" + percent_encode(options.environment)));
    TRYV(session.get_json("/v1/applications/" + percent_encode(options.application)));
  }
  return put(session, options, "add", "added");
}

Result<> set(Session& session, const Options& options) {
  TRYV(must_be_there(session, options));
  return put(session, options, "change", "changed");
}

Result<> remove(Session& session, const Options& options) {
  const std::string what = "delete the cluster " + name_of(options);
  if (session.dry_run) {
    TRYV(must_be_there(session, options));
    TRYV(session.must_hold_nothing(
        name_of(options),
        {{"environment", options.environment}, {"application", options.application}, {"cluster", options.name}}));
    return session.would(what);
  }
  TRYV(session.confirm(what));
  TRY(const boost::json::value outcome, session.call_json({.method = "DELETE", .target = path_of(options)}));
  return session.print(outcome, [&] { return fmt::format("deleted the cluster {}\n", name_of(options)); });
}

}  // namespace

void add_app_cluster(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group =
      add_command(app, "cluster", "Administer the clusters of applications (a site's variant of configuration)")
          ->require_subcommand(1);
  group->footer(
      examples({"config-center app cluster list dev/shop", "config-center app cluster add dev shop beijing"}));
  const auto named = [&](const std::string& name, const std::string& meaning) {
    CLI::App* command = add_command(*group, name, meaning);
    command->add_option("environment", options->environment, "Environment")->required()->type_name("ENV");
    command->add_option("application", options->application, "Application")->required()->type_name("APP");
    command->add_option("cluster", options->name, "Name of the cluster")->required()->type_name("CLUSTER");
    return command;
  };

  CLI::App* command = add_command(*group, "list", "List clusters");
  command->add_option("where", options->where, "environment[/application]; nothing is all")->type_name("WHERE");
  command->footer(examples({"config-center app cluster list", "config-center app cluster list dev/shop"}));
  on_run(*command, session, [&session, options] { return list(session, *options); });

  command = named("add", "Add a cluster");
  command->add_option("--description", options->description, "What it is for")->type_name("TEXT");
  add_dry_run(*command, session);
  command->footer(examples({"config-center app cluster add dev shop beijing --description \"the site in Beijing\""}));
  on_run(*command, session, [&session, options] { return add(session, *options); });

  command = named("set", "Change the description of a cluster");
  command->add_option("--description", options->description, "What it is for")->required()->type_name("TEXT");
  add_dry_run(*command, session);
  command->footer(examples({"config-center app cluster set dev shop beijing --description \"the second site\""}));
  on_run(*command, session, [&session, options] { return set(session, *options); });

  command = named("delete", "Delete a cluster that holds no configs");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center app cluster delete dev shop beijing --yes"}));
  on_run(*command, session, [&session, options] { return remove(session, *options); });
}

}  // namespace cc::cli
