#include <algorithm>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/grants_output.h"
#include "cli/password_option.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string name, role, environment, application, department;
  std::optional<std::string> display_name;
  bool generate = false;
  PasswordOption password, current;
  Page page;
};

constexpr std::size_t kGeneratedLength = 20;

std::string path_of(const std::string& name) {
  return "/v1/users/" + percent_encode(name);
}

Result<> list(Session& session, const Options& options) {
  TRY(const json::array users, session.list("/v1/users", {}, options.page));
  return session.print(users, [&] {
    Table table({"NAME", "DISPLAY NAME", "STATE", "GRANTS", "CREATED"});
    for (const json::value& each : users) {
      table.add({member_text(each, "name"), member_text(each, "display_name"),
                 member_text(each, "disabled") == "true" ? "disabled" : "enabled", grants_text(each),
                 member_text(each, "created")});
    }
    return table.to_text();
  });
}

Result<> show(Session& session, const Options& options) {
  TRY(const json::value user, session.get_json(path_of(options.name)));
  return session.print(user, [&] { return to_yaml(user); });
}

Result<> add(Session& session, const Options& options) {
  TRY(const bool there, session.is_there(path_of(options.name)));
  if (there) return fail(Code::already_exists, fmt::format("there is a user \"{}\" already", options.name));
  if (session.dry_run) return session.would(fmt::format("add the user \"{}\"", options.name));
  std::string password = random_password(kGeneratedLength);
  if (!options.generate) {
    TRY(password, password_of(options.password, fmt::format("Password for {}: ", options.name), true));
  }
  TRY(json::value user,
      session.send_json("PUT", path_of(options.name),
                        {{"display_name", options.display_name.value_or("")}, {"password", password}}));
  if (options.generate) user.as_object()["password"] = password;
  return session.print(user, [&] {
    return fmt::format("added the user {0}\n{1}grant a role with: config-center user grant {0} developer\n",
                       options.name, options.generate ? fmt::format("password (shown once): {}\n", password) : "");
  });
}

Result<> change(Session& session, const Options& options, const json::value& change, std::string_view doing,
                std::string_view done) {
  TRYV(session.get_json(path_of(options.name)));
  const std::string what = fmt::format("{} the user \"{}\"", doing, options.name);
  if (session.dry_run) return session.would(what);
  if (doing == "disable") TRYV(session.confirm(what));
  TRY(const json::value user, session.send_json("PUT", path_of(options.name), change));
  return session.print(user, [&] { return fmt::format("{} the user {}\n", done, options.name); });
}

Result<> set_password(Session& session, Options options) {
  TRY(const json::value who, session.get_json("/v1/whoami"));
  const std::string me = member_text(who, "name");
  const bool own = options.name.empty() || options.name == me;
  if (own) options.name = me;
  if (session.dry_run) {
    if (!own) TRYV(session.get_json(path_of(options.name)));
    return session.would(fmt::format("change the password of {}", options.name));
  }
  json::object body;
  if (own) {
    TRY(body["current_password"],
        password_of({.file = options.current.file}, fmt::format("Current password of {}: ", me), false));
  }
  TRY(body["password"], password_of(options.password, fmt::format("New password for {}: ", options.name), true));
  TRYV(session.send_json("PUT", path_of(options.name) + "/password", body));
  return session.print({{"name", options.name}, {"changed", true}}, [&] {
    return fmt::format("changed the password of {}; all logins of {} have ended{}\n", options.name,
                       own ? "yours" : "this user", own ? "; log in again with: config-center login" : "");
  });
}

Result<> remove(Session& session, const Options& options) {
  const std::string what = fmt::format("delete the user \"{}\"", options.name);
  if (session.dry_run) {
    TRYV(session.get_json(path_of(options.name)));
    return session.would(what);
  }
  TRYV(session.confirm(what));
  TRY(const json::value outcome, session.call_json({.method = "DELETE", .target = path_of(options.name)}));
  return session.print(outcome, [&] { return fmt::format("deleted the user {}\n", options.name); });
}

// For --dry-run: what a server would refuse.
Result<> check_grant(Session& session, const Options& options, bool must_have_it) {
  TRY(const json::value user, session.get_json(path_of(options.name)));
  if (!must_have_it) return {};
  const json::value* grants = user.is_object() ? user.get_object().if_contains("grants") : nullptr;
  const bool has =
      grants != nullptr && grants->is_array() && std::ranges::any_of(grants->get_array(), [&](const json::value& each) {
        return member_text(each, "role") == options.role && member_text(each, "environment") == options.environment &&
               member_text(each, "application") == options.application &&
               member_text(each, "department") == options.department;
      });
  if (has) return {};
  const std::string all = grants_text(user);
  return fail(Code::not_found, fmt::format("{} has no such grant, but: {}", options.name, all.empty() ? "none" : all));
}

Result<> change_grants(Session& session, const Options& options, std::string_view method, std::string_view doing) {
  json::object grant = {{"role", options.role}};
  if (!options.environment.empty()) grant["environment"] = options.environment;
  if (!options.application.empty()) grant["application"] = options.application;
  if (!options.department.empty()) grant["department"] = options.department;
  const bool takes = method == "DELETE";
  const std::string what = fmt::format("{} {} {} {}", doing, options.role, takes ? "from" : "to", options.name);
  if (session.dry_run) {
    TRYV(check_grant(session, options, takes));
    return session.would(what);
  }
  if (takes) TRYV(session.confirm(what));
  TRY(const json::value user, session.send_json(method, path_of(options.name) + "/grants", grant));
  return session.print(user, [&] {
    const std::string grants = grants_text(user);
    return fmt::format("{} is now: {}\n", options.name, grants.empty() ? "nothing (no role)" : grants);
  });
}

void add_grant_options(CLI::App& command, Options& options) {
  command.add_option("role", options.role, "admin, developer, publisher, operator or viewer")
      ->required()
      ->check(one_of({"admin", "developer", "publisher", "operator", "viewer"}))
      ->type_name("ROLE");
  command.add_option("--environment", options.environment, "Only in this environment")->type_name("ENV");
  command.add_option("--application", options.application, "Only in this application")->type_name("APP");
  command.add_option("--department", options.department, "Only in applications of this department")->type_name("NAME");
}

}  // namespace

void add_user(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group = add_command(root, "user", "Administer users and what they may do")->require_subcommand(1);
  group->footer(examples({"config-center user add lilei --generate", "config-center user grant lilei developer",
                          "config-center user grant lilei publisher --environment prod --application shop"}));
  const auto named = [&](const std::string& name, const std::string& meaning) {
    CLI::App* command = add_command(*group, name, meaning);
    command->add_option("name", options->name, "Name of the user")->required()->type_name("USER");
    return command;
  };

  CLI::App* command = add_command(*group, "list", "List users");
  add_page_options(*command, options->page);
  command->footer(examples({"config-center user list"}));
  on_run(*command, session, [&session, options] { return list(session, *options); });

  command = named("show", "Show one user");
  command->footer(examples({"config-center user show lilei"}));
  on_run(*command, session, [&session, options] { return show(session, *options); });

  command = named("add", "Add a user, who may do nothing until a role is granted");
  command->add_option("--display-name", options->display_name, "Name for people")->type_name("TEXT");
  command->add_flag("--generate", options->generate, "Make a random password and print it once");
  add_password_options(*command, options->password);
  add_dry_run(*command, session);
  command->footer(
      examples({"config-center user add lilei --display-name \"Li Lei\"", "config-center user add lilei --generate",
                "config-center user add ci --password-file ci-password"}));
  on_run(*command, session, [&session, options] { return add(session, *options); });

  command = named("set", "Change the display name of a user");
  command->add_option("--display-name", options->display_name, "Name for people")->required()->type_name("TEXT");
  add_dry_run(*command, session);
  command->footer(examples({"config-center user set lilei --display-name \"Li Lei\""}));
  on_run(*command, session, [&session, options] {
    return change(session, *options, {{"display_name", *options->display_name}}, "change", "changed");
  });

  command = named("disable", "Refuse the logins and tokens of a user");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center user disable lilei --yes"}));
  on_run(*command, session,
         [&session, options] { return change(session, *options, {{"disabled", true}}, "disable", "disabled"); });

  command = named("enable", "Let a disabled user in again");
  add_dry_run(*command, session);
  command->footer(examples({"config-center user enable lilei"}));
  on_run(*command, session,
         [&session, options] { return change(session, *options, {{"disabled", false}}, "enable", "enabled"); });

  command = add_command(*group, "password", "Change a password; of oneself, or as an administrator of anybody");
  command->add_option("name", options->name, "Name of the user; oneself when it is left out")->type_name("USER");
  add_password_options(*command, options->password);
  command->add_option("--current-password-file", options->current.file, "Read one's current password from a file")
      ->type_name("FILE");
  add_dry_run(*command, session);
  command->footer(examples({"config-center user password", "config-center user password lilei --password-file new"}));
  on_run(*command, session, [&session, options] { return set_password(session, *options); });

  command = named("delete", "Delete a user");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center user delete lilei --yes"}));
  on_run(*command, session, [&session, options] { return remove(session, *options); });

  command = named("grant", "Grant a role: everywhere, or within an environment, an application or a department");
  add_grant_options(*command, *options);
  add_dry_run(*command, session);
  command->footer(examples({"config-center user grant lilei developer",
                            "config-center user grant lilei publisher --environment prod --application shop"}));
  on_run(*command, session, [&session, options] { return change_grants(session, *options, "POST", "grant"); });

  command = named("revoke", "Take a granted role away; name the same place that it was granted for");
  add_grant_options(*command, *options);
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center user revoke lilei publisher --environment prod --application shop --yes"}));
  on_run(*command, session, [&session, options] { return change_grants(session, *options, "DELETE", "revoke"); });
}

}  // namespace cc::cli
