#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

Result<> list(Session& session) {
  TRY(const boost::json::value roles, session.get_json("/v1/roles"));
  const boost::json::array& items = roles.at("items").as_array();
  return session.print(items, [&] {
    Table table({"ROLE", "DESCRIPTION", "MAY"});
    for (const boost::json::value& each : items) {
      std::string may;
      for (const boost::json::value& permission : each.at("permissions").as_array())
        may += (may.empty() ? "" : ", ") + std::string(permission.as_string());
      table.add({member_text(each, "name"), member_text(each, "description"), may});
    }
    return table.to_text();
  });
}

}  // namespace

void add_role(CLI::App& root, Session& session) {
  CLI::App* group = add_command(root, "role", "See the roles that users can be granted")->require_subcommand(1);
  group->footer(examples({"config-center role list"}));
  CLI::App* command = add_command(*group, "list", "List the roles and what each may do");
  command->footer(examples({"config-center role list"}));
  on_run(*command, session, [&session] { return list(session); });
}

}  // namespace cc::cli
