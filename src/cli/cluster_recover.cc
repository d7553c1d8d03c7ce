#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/node_settings.h"
#include "cli/session.h"
#include "node/recover.h"

namespace cc::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kWhatItMeans =
    "When the majority of the voters is lost for ever, one of the nodes that are left becomes a group of its own, of "
    "one.\n"
    "  * What only the lost nodes had is lost. Choose the node whose log ends last: see where with --dry-run, on each "
    "of\n"
    "    them. The term of its last entry decides, and only among equal terms how long it is.\n"
    "  * All nodes must be stopped. None of the others may ever be started again with the data folder that it has: "
    "wipe\n"
    "    them, and add them again with: config-center cluster add\n";

json::object json_of(const node::Settings& settings, const consensus::Log::End& end) {
  return {{"node", settings.raft.node_id},
          {"address", settings.raft.address},
          {"data_dir", settings.data_dir.string()},
          {"last", end.index},
          {"last_term", end.term}};
}

Result<> look(Session& session, const node::Settings& settings, const std::string& what) {
  TRY(const auto end, node::end_of_log(settings));
  json::object out = json_of(settings, end);
  out["dry_run"] = true;
  out["would"] = what;
  return session.print(out, [&] {
    return fmt::format("the log of node {} ends with entry {} of term {}\nwould {}; nothing was changed\n",
                       settings.raft.node_id, end.index, end.term, what);
  });
}

Result<> recover(Session& session, const NodeOptions& options) {
  TRY(const node::Settings settings, node_settings(options));
  const std::string what = fmt::format("make node {} a group of its own, with what is in {}", settings.raft.node_id,
                                       settings.data_dir.string());
  fmt::print(stderr, "{}", kWhatItMeans);
  if (session.dry_run) return look(session, settings, what);
  TRYV(session.confirm(what));
  TRY(const auto end, node::recover_group(settings));
  return session.print(json_of(settings, end), [&] {
    return fmt::format(
        "node {} is a group of its own, under {}; its log ended with entry {} of term {}. Start it without raft.peers, "
        "wipe the other nodes, and add them: config-center cluster add NODE@HOST:PORT\n",
        settings.raft.node_id, settings.raft.address, end.index, end.term);
  });
}

}  // namespace

void add_cluster_recover(CLI::App& group, Session& session) {
  auto options = std::make_shared<NodeOptions>();
  CLI::App* command =
      add_command(group, "recover", "After the majority was lost for ever: make a stopped node a group of its own");
  add_node_options(*command, options);
  add_setting(*command, options, "--node-id", "raft.node_id", "Its raft.node_id; else as its settings say", "NODE");
  add_setting(*command, options, "--address", "raft.address",
              "The raft.address that it will have; else as its settings "
              "say",
              "ADDRESS");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center cluster recover --config /etc/config-center/config.yaml --dry-run",
      "config-center cluster recover --config /etc/config-center/config.yaml",
      "config-center cluster recover --data-dir /var/lib/config-center --node-id 2 --address 10.0.0.2:7848",
  }));
  on_run(*command, session, [&session, options] { return recover(session, *options); });
}

}  // namespace cc::cli
