#include "node/restore.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "backup/backup.h"
#include "base/text.h"
#include "cli/backup_output.h"
#include "cli/commands.h"
#include "cli/node_settings.h"
#include "cli/session.h"
#include "node/backups.h"

namespace cc::cli {
namespace {

const SystemClock kClock;

using Seen = state::Restoring::Seen;

struct Options {
  std::shared_ptr<NodeOptions> node = std::make_shared<NodeOptions>();
  std::string file, since;
  bool nothing_newer = false, replace = false;
};

constexpr std::string_view kWhatItMeans =
    "Every node of raft.peers restores the same backup, with the same options, while all of them are stopped; then "
    "they "
    "are\nstarted. Of a single node it is the same.\n";

Result<node::Restore> restore_of(const Options& options, const node::Settings& settings) {
  if (options.nothing_newer && !options.since.empty()) return wrong_usage("either --since or --nothing-newer");
  TRY(backup::File file, node::find_backup(settings, options.file, kClock));
  node::Restore how{.backup = std::move(file),
                    .seen = options.nothing_newer    ? Seen::nothing_newer
                            : !options.since.empty() ? Seen::since
                                                     : Seen::unknown,
                    .replace = options.replace};
  if (how.seen == Seen::since) {
    TRY(const std::string text, read_file_or_input(options.since));
    auto since = backup::since_of(text);
    if (!since) return wrong_usage(std::move(since).error());
    how.since = *std::move(since);
  }
  return how;
}

std::string what_it_does(const node::Restore& how, const backup::Manifest& manifest, const node::Settings& settings) {
  std::string out =
      fmt::format("restore {} ({}, revision {}) to {}", manifest.name(), counted(manifest.contents.configs, "config"),
                  manifest.contents.position.revision, settings.data_dir.string());
  if (how.seen == Seen::since && how.since.configs.size() + how.since.others.size() != 0) {
    out += fmt::format(", which loses changes of {} and {}", counted(how.since.configs.size(), "config"),
                       counted(how.since.others.size(), "other change"));
  }
  return out;
}

Result<> restore(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const node::Restore how, restore_of(options, settings));
  TRY(const std::string key, node::sealing_key(settings));
  TRY(const backup::Manifest manifest, backup::manifest_of(how.backup, key));
  const std::string what = what_it_does(how, manifest, settings);
  if (session.dry_run) return session.would(what);
  if (!session.yes) fmt::print(stderr, "{}", kWhatItMeans);
  TRYV(session.confirm(what));
  StateProgress progress("restoring");
  TRY(const node::Restored done, node::restore_data(settings, how, progress.teller()));
  boost::json::object told = json_of(done.manifest);
  told["restored_revision"] = done.position.revision;
  told["aside"] = done.aside.string();
  return session.print(told, [&] {
    return fmt::format("restored {}; the node will be at revision {}{}\n", done.manifest.name(), done.position.revision,
                       done.aside.empty() ? ""
                                          : fmt::format(". What was there before is in {}: remove it when it is not "
                                                        "needed any more",
                                                        done.aside.string()));
  });
}

}  // namespace

void add_restore(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "restore", "Make the data folder of a stopped node from a backup");
  command->add_option("file", options->file, "The backup: a file, or one that `backup list` shows")
      ->required()
      ->type_name("FILE|NAME");
  add_node_options(*command, options->node);
  add_setting(*command, options->node, "--node-id", "raft.node_id", "Its raft.node_id; else as its settings say",
              "NODE");
  add_setting(*command, options->node, "--address", "raft.address", "Its raft.address; else as its settings say",
              "ADDRESS");
  add_setting(*command, options->node, "--peers", "raft.peers", "All nodes of the group; else as its settings say",
              "PEERS");
  command
      ->add_option("--since", options->since,
                   "What clients have seen since the backup, as `backup compare -o json` tells it: they will get what "
                   "differs, and nothing else. Without it all configs come anew")
      ->type_name("FILE|-");
  command->add_flag("--nothing-newer", options->nothing_newer,
                    "No client has seen anything newer than the backup: the state is restored as it was");
  command->add_flag("--replace", options->replace, "Set aside the data that are there");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center restore today.ccbackup --config /etc/config-center/config.yaml",
      "config-center restore today.ccbackup --data-dir ./data --since since.json --replace",
      "config-center restore today.ccbackup --data-dir ./copy --nothing-newer --yes",
  }));
  on_run(*command, session, [&session, options] { return restore(session, *options); });
}

}  // namespace cc::cli
