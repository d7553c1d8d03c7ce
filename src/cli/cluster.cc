#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/yaml.h"

namespace cc::cli {
namespace {

Result<> status(Session& session) {
  TRY(const boost::json::value node, session.get_json("/v1/cluster"));
  return session.print(node, [&] {
    const auto of = [&](std::string_view name) { return member_text(node, name); };
    std::string out = fmt::format(
        "cluster   {}\nnode      {} ({}), version {}\nleader    node {}, term {}\nrevision  {}\n"
        "log       entries {} to {}, committed {}, applied {}\n",
        of("cluster_id"), of("node_id"), of("role"), of("version"), of("leader_id"), of("term"), of("revision"),
        of("first"), of("last"), of("commit"), of("applied"));
    if (!of("trouble").empty()) out += fmt::format("trouble   {}\n", of("trouble"));
    if (const auto* counts = node.as_object().if_contains("counts"); counts && counts->is_object()) {
      std::string line;
      for (const auto& [name, count] : counts->get_object())
        line += fmt::format("{}{} {}", line.empty() ? "" : ", ", boost::json::serialize(count), std::string_view(name));
      out += fmt::format("holds     {}\n", line);
    }
    Table servers({"NODE", "ADDRESS", "ROLE"});
    if (const auto* list = node.as_object().if_contains("servers"); list && list->is_array()) {
      for (const boost::json::value& each : list->get_array())
        servers.add({member_text(each, "id"), member_text(each, "address"), member_text(each, "role")});
    }
    return out + "\n" + servers.to_text();
  });
}

}  // namespace

void add_cluster(CLI::App& root, Session& session) {
  CLI::App* group =
      add_command(root, "cluster", "See the group of nodes (clusters of applications: config-center app cluster)")
          ->require_subcommand(1);
  group->footer(examples({"config-center cluster status"}));
  CLI::App* command = add_command(*group, "status", "Show the nodes, who leads, and how far the log is");
  command->footer(examples({"config-center cluster status", "config-center cluster status -o json"}));
  on_run(*command, session, [&session] { return status(session); });
}

}  // namespace cc::cli
