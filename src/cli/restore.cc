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
#include "node/history_backup.h"

namespace cc::cli {
namespace {

const SystemClock kClock;

using Seen = state::Restoring::Seen;

struct Options {
  std::shared_ptr<NodeOptions> node = std::make_shared<NodeOptions>();
  std::string file, since;
  bool nothing_newer = false, replace = false, with_archive = false, only_archive = false;
};

constexpr std::string_view kWhatItMeans =
    "Every node of raft.peers restores the same backup, with the same options, while all of them are stopped; then "
    "they "
    "are\nstarted. Of a single node it is the same.\n";

// The history in the archive, after a restore: where it is, and what to do when it is not what the backup needs.
struct HistoryTold {
  boost::json::object json;
  std::string text;
};

std::string note_of(const node::HistoryNow& now, const backup::Manifest& manifest) {
  const bool included = manifest.history && manifest.history->included();
  const Revision revision = manifest.contents.position.revision;
  const std::string_view bring =
      included ? "; the backup has it: config-center restore FILE --only-archive brings it back" : "";
  if (!now.trouble.empty()) return fmt::format("it cannot be used yet: {}{}", now.trouble, now.has_rows ? "" : bring);
  if (now.revision >= revision) return {};
  return fmt::format(
      "it reaches to revision {}, and the backup to {}: nodes write what it lacks, as far as they have it{}",
      now.revision, revision, bring);
}

HistoryTold told_of(const node::BroughtHistory& history) {
  HistoryTold out{.json = {{"where", history.where}, {"revision", history.revision}, {"set_aside", history.set_aside}},
                  .text = fmt::format("the history is back in the archive at {}, up to revision {}\n", history.where,
                                      history.revision)};
  if (!history.set_aside.empty()) {
    out.text += fmt::format(
        "what was there before is in its schema {0}; when it is not needed any more: DROP SCHEMA {0} "
        "CASCADE\n",
        history.set_aside);
  }
  return out;
}

HistoryTold told_of_history(const node::Settings& settings, const node::Restored& done) {
  if (done.history) return told_of(*done.history);
  const backup::Manifest& manifest = done.manifest;
  if (settings.database.host.empty()) {
    if (!manifest.history) return {};
    const std::string place = place_of(*manifest.history);
    return {.json = {{"where", place}, {"note", "database.host is not set here"}},
            .text = fmt::format("the history was in the archive at {}; database.host is not set here\n", place)};
  }
  const auto now = node::history_now(settings, manifest.contents.position.cluster_id, kClock);
  const std::string note = note_of(now, manifest);
  return {.json = {{"where", now.where}, {"revision", now.revision}, {"note", note}},
          .text = note.empty()
                      ? fmt::format("the history is in the archive at {}, up to revision {}\n", now.where, now.revision)
                      : fmt::format("the history is in the archive at {}; {}\n", now.where, note)};
}

Result<node::Restore> restore_of(const Options& options, const node::Settings& settings) {
  if (options.nothing_newer && !options.since.empty()) return wrong_usage("either --since or --nothing-newer");
  TRY(backup::File file, node::find_backup(settings, options.file, kClock));
  node::Restore how{.backup = std::move(file),
                    .seen = options.nothing_newer    ? Seen::nothing_newer
                            : !options.since.empty() ? Seen::since
                                                     : Seen::unknown,
                    .replace = options.replace,
                    .with_archive = options.with_archive};
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
  if (how.with_archive) out += fmt::format(", and its history to the archive at {}", settings.database.host);
  return out;
}

// Nodes may run: the state is left as it is.
Result<> restore_archive(Session& session, const Options& options, const node::Settings& settings) {
  if (options.with_archive || options.nothing_newer || !options.since.empty())
    return wrong_usage(
        "--only-archive leaves the state as it is: --with-archive, --since and --nothing-newer are of no "
        "use with it");
  TRY(const backup::File file, node::find_backup(settings, options.file, kClock));
  TRY(const std::string key, node::sealing_key(settings));
  TRY(const backup::Manifest manifest, backup::manifest_of(file, key));
  TRYV(node::check_history(settings, manifest, options.replace, kClock));
  const std::string what =
      fmt::format("bring the history of {} (up to revision {}) back into the archive at {}, database {}",
                  manifest.name(), manifest.history->revision, settings.database.host, settings.database.database);
  if (session.dry_run) return session.would(what);
  TRYV(session.confirm(what));
  StateProgress progress("reading");
  TRY(const auto done, node::restore_history(settings, file, options.replace, kClock, progress.teller()));
  boost::json::object told = json_of(manifest);
  HistoryTold history = told_of(done);
  told["history"] = std::move(history.json);
  return session.print(told, [&] { return history.text; });
}

Result<> restore(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  if (options.only_archive) return restore_archive(session, options, settings);
  TRY(const node::Restore how, restore_of(options, settings));
  TRY(const std::string key, node::sealing_key(settings));
  TRY(const backup::Manifest manifest, backup::manifest_of(how.backup, key));
  if (how.with_archive) TRYV(node::check_history(settings, manifest, how.replace, kClock));
  const std::string what = what_it_does(how, manifest, settings);
  if (session.dry_run) return session.would(what);
  if (!session.yes) fmt::print(stderr, "{}", kWhatItMeans);
  TRYV(session.confirm(what));
  StateProgress progress("restoring");
  TRY(const node::Restored done, node::restore_data(settings, how, kClock, progress.teller()));
  boost::json::object told = json_of(done.manifest);
  told["restored_revision"] = done.position.revision;
  told["aside"] = done.aside.string();
  HistoryTold history = told_of_history(settings, done);
  told["history"] = std::move(history.json);
  return session.print(told, [&] {
    return fmt::format("restored {}; the node will be at revision {}{}\n", done.manifest.name(), done.position.revision,
                       done.aside.empty() ? ""
                                          : fmt::format(". What was there before is in {}: remove it when it is not "
                                                        "needed any more",
                                                        done.aside.string())) +
           history.text;
  });
}

}  // namespace

void add_restore(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      root, "restore", "Make the data folder of a stopped node, or the archive in PostgreSQL, from a backup");
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
  command->add_flag("--replace", options->replace,
                    "Set aside the data that are there; with --with-archive and --only-archive also what is in the "
                    "archive, as another schema");
  command->add_flag(
      "--with-archive", options->with_archive,
      "Also bring the history that is in the backup back into the archive (database.host): with one of the "
      "nodes");
  command->add_flag("--only-archive", options->only_archive,
                    "Bring back the history alone, when PostgreSQL was lost and the nodes were not: they may run");
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({
      "config-center restore today.ccbackup --config /etc/config-center/config.yaml",
      "config-center restore today.ccbackup --data-dir ./data --since since.json --replace",
      "config-center restore today.ccbackup --data-dir ./copy --nothing-newer --yes",
      "config-center restore today.ccbackup --config /etc/config-center/config.yaml --with-archive",
      "config-center restore today.ccbackup --config /etc/config-center/config.yaml --only-archive --replace",
  }));
  on_run(*command, session, [&session, options] { return restore(session, *options); });
}

}  // namespace cc::cli
