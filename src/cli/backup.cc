#include "backup/backup.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "backup/cron.h"
#include "backup/folder.h"
#include "backup/since_json.h"
#include "base/text.h"
#include "cli/address.h"
#include "cli/backup_output.h"
#include "cli/commands.h"
#include "cli/folder.h"
#include "cli/node_settings.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "node/backups.h"
#include "node/restore.h"

namespace cc::cli {
namespace {

struct Options {
  std::shared_ptr<NodeOptions> node = std::make_shared<NodeOptions>();
  std::string file, where, to;
  bool unsealed = false;
  std::string level = "rows";
  int count = 5;
};

Result<> create(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  const SystemClock clock;
  Path to = options.file;
  if (to.empty()) {
    to = node::backups_folder(settings);
    TRYV(make_directories(to, 0700));
  }
  StateProgress progress("backing up");
  TRY(const backup::Created made, node::back_up(settings, to, !options.unsealed, clock, progress.teller()));
  boost::json::object told = json_of(made.manifest);
  told["file"] = made.file.string();
  told["bytes"] = made.bytes;
  return session.print(told, [&] {
    return fmt::format("backed up {} at revision {} to {} ({}{})\n", counted(made.manifest.contents.configs, "config"),
                       made.manifest.contents.position.revision, made.file.string(), format_size(made.bytes),
                       options.unsealed ? ", not sealed: whoever has it can read it" : "");
  });
}

Result<> show(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const std::string key, node::sealing_key(settings));
  TRY(const backup::Manifest manifest, backup::manifest_of(options.file, key));
  return session.print(json_of(manifest), [&] { return text_of(manifest); });
}

Result<> verify(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const std::string key, node::sealing_key(settings));
  const auto level = options.level == "rows" ? backup::Level::rows : backup::Level::checksums;
  TRY(const TempDirectory scratch, TempDirectory::make());
  StateProgress progress("verifying");
  TRY(const backup::Manifest manifest,
      backup::verify(options.file, key, level, scratch.path() / "tmp", progress.teller()));
  const Path folder = node::backups_folder(settings);
  std::error_code error;
  if (level == backup::Level::rows && std::filesystem::equivalent(Path(options.file).parent_path(), folder, error)) {
    const SystemClock clock;
    TRYV(backup::note_verified(options.file, clock.wall()));
  }
  boost::json::object told = json_of(manifest);
  told["verified"] = options.level;
  return session.print(told, [&] {
    return fmt::format("{} is good: {}\n\n{}", options.file,
                       level == backup::Level::rows ? "every row was read, and every content held against its checksum"
                                                    : "it is complete, and all its checksums match",
                       text_of(manifest));
  });
}

Result<> compare(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  const SystemClock clock;
  TRY(const auto since, node::changed_since_backup(settings, options.file, clock));
  return session.print(backup::to_json(since), [&] { return text_of(since); });
}

Result<std::vector<backup::Kept>> all_of(const node::Settings& settings) {
  TRY(const std::string key, node::sealing_key(settings));
  return backup::list(node::backups_folder(settings), key);
}

Result<> list(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const auto all, all_of(settings));
  boost::json::array items;
  for (const backup::Kept& each : all)
    items.push_back(json_of(each));
  return session.print_list(items,
                            {{"FILE", "file"},
                             {"MADE", "time"},
                             {"REVISION", "revision"},
                             {"CONFIGS", "configs"},
                             {"SIZE", "size"},
                             {"VERIFIED", "verified"},
                             {"TROUBLE", "trouble"}},
                            "there is no backup; make one with: config-center backup create");
}

Result<> prune(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const auto all, all_of(settings));
  const SystemClock clock;
  const auto old = backup::to_remove(all, node::retention_of(settings), clock.wall());
  boost::json::array names;
  std::string text;
  for (const backup::Kept& each : old) {
    names.emplace_back(each.file.string());
    text += fmt::format("  {}\n", each.file.string());
  }
  const std::string what = fmt::format("remove {} of {}", counted(old.size(), "backup"), all.size());
  if (session.dry_run || old.empty()) {
    return session.print({{"dry_run", session.dry_run}, {"removed", names}}, [&] {
      return old.empty() ? std::string("nothing to remove: all that is there is kept\n")
                         : fmt::format("would {}:\n{}", what, text);
    });
  }
  TRYV(session.confirm(fmt::format("{}:\n{}", what, text)));
  for (const backup::Kept& each : old)
    TRYV(backup::remove(each));
  return session.print({{"dry_run", false}, {"removed", names}},
                       [&] { return fmt::format("removed {}:\n{}", counted(old.size(), "backup"), text); });
}

Result<> schedule(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const backup::Cron cron, backup::Cron::parse(settings.backup.cron));
  const SystemClock clock;
  boost::json::array runs;
  std::string text;
  Wall at = clock.wall();
  for (int i = 0; i < options.count; ++i) {
    TRY(at, cron.next(at));
    runs.emplace_back(format_time(at));
    text += fmt::format("  {}\n", format_time(at));
  }
  return session.print({{"cron", settings.backup.cron}, {"enabled", settings.backup.enabled}, {"next", runs}}, [&] {
    return fmt::format("{}{}\n{}", settings.backup.cron,
                       settings.backup.enabled ? "" : " (no backups are made: backup.schedule.enabled is false)", text);
  });
}

// As `export` writes it, so that `import` takes it back.
Tree tree_of(const std::vector<ReleasePtr>& configs, std::size_t prefix) {
  Tree tree;
  tree.entries.reserve(configs.size());
  for (const ReleasePtr& config : configs) {
    std::string name = config->key_text.substr(prefix);
    const Listed listed{.format = config->format, .secret = config->secret};
    if (must_be_listed(name, listed)) tree.listing.emplace(name, listed);
    tree.entries.push_back({std::move(name), config->content});
  }
  return tree;
}

Result<> export_configs(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const std::string key, node::sealing_key(settings));
  TRY(const Where where, parse_where(options.where));
  if (where.environment.empty()) {
    return wrong_usage("say what to take out: ENVIRONMENT, with /APPLICATION, /CLUSTER and /NAME when it is less");
  }
  TRY(const TempDirectory scratch, TempDirectory::make());
  StateProgress progress("reading");
  const bool one = !where.name_prefix.empty();
  const std::string prefix = one ? options.where : options.where + "/";
  TRY(auto configs, backup::configs_in(options.file, key, prefix, scratch.path() / "tmp", progress.teller()));
  if (one) {
    std::erase_if(configs, [&](const ReleasePtr& config) { return config->key_text != options.where; });
    if (configs.empty()) return fail(Code::not_found, fmt::format("there was no config {}", options.where));
    TRYV(write_file_or_output(options.to, configs.front()->content));
  } else {
    TRYV(write_tree(options.to, tree_of(configs, prefix.size())));
  }
  if (options.to == "-") return {};
  return session.print({{"to", options.to}, {"configs", configs.size()}}, [&] {
    return fmt::format("took {} out of {} to {}\n", counted(configs.size(), "config"), options.file, options.to);
  });
}

void add_file(CLI::App& command, const std::shared_ptr<Options>& options) {
  command.add_option("file", options->file, "The backup")->required()->type_name("FILE");
  add_node_options(command, options->node);
}

}  // namespace

void add_backup(CLI::App& root, Session& session) {
  CLI::App* group =
      add_command(root, "backup", "Make backups of a node's state, and look at them")->require_subcommand(1);
  group->footer(examples({
      "config-center backup create /backups --config /etc/config-center/config.yaml",
      "config-center backup verify /backups/20261128T031500Z-r1042.ccbackup --config /etc/config-center/config.yaml",
  }));

  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(*group, "create", "Back up the state of the node on this machine, while it runs or not");
  command
      ->add_option("to", options->file,
                   "The file to make, or a folder, in which it is named by time and revision; "
                   "else as backup.storage.path says")
      ->type_name("FILE|DIR");
  add_node_options(*command, options->node);
  command->add_flag("--unsealed", options->unsealed,
                    "Do not seal it with the security.encryption_key: a .tar.zst that anybody can open");
  command->footer(examples({
      "config-center backup create /backups --config /etc/config-center/config.yaml",
      "config-center backup create --data-dir ./data",
      "config-center backup create today.tar.zst --data-dir ./data --unsealed",
  }));
  on_run(*command, session, [&session, options] { return create(session, *options); });

  options = std::make_shared<Options>();
  command = add_command(*group, "list", "The backups in backup.storage.path of the node on this machine");
  add_node_options(*command, options->node);
  command->footer(examples({"config-center backup list --config /etc/config-center/config.yaml",
                            "config-center backup list --data-dir ./data -o json"}));
  on_run(*command, session, [&session, options] { return list(session, *options); });

  options = std::make_shared<Options>();
  command = add_command(*group, "prune", "Remove the backups that backup.retention does not keep");
  add_node_options(*command, options->node);
  add_yes(*command, session);
  add_dry_run(*command, session);
  command->footer(examples({"config-center backup prune --config /etc/config-center/config.yaml --dry-run",
                            "config-center backup prune --data-dir ./data --yes"}));
  on_run(*command, session, [&session, options] { return prune(session, *options); });

  options = std::make_shared<Options>();
  command = add_command(*group, "schedule", "When the next backups are made, as backup.schedule says");
  add_node_options(*command, options->node);
  command->add_option("--count", options->count, "How many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("N");
  command->footer(examples({"config-center backup schedule --config /etc/config-center/config.yaml",
                            "config-center backup schedule --count 10"}));
  on_run(*command, session, [&session, options] { return schedule(session, *options); });

  options = std::make_shared<Options>();
  command = add_command(*group, "show", "What a backup says of itself");
  add_file(*command, options);
  command->footer(examples({"config-center backup show today.ccbackup --data-dir ./data"}));
  on_run(*command, session, [&session, options] { return show(session, *options); });

  options = std::make_shared<Options>();
  command = add_command(*group, "verify", "Whether a backup is as it was made, and can be restored");
  add_file(*command, options);
  command->add_option("--level", options->level, "checksums: read to its end; rows: and every row of its state")
      ->check(CLI::IsMember({"checksums", "rows"}))
      ->capture_default_str()
      ->type_name("LEVEL");
  command->footer(examples({"config-center backup verify today.ccbackup --data-dir ./data",
                            "config-center backup verify today.ccbackup --level checksums"}));
  on_run(*command, session, [&session, options] { return verify(session, *options); });

  options = std::make_shared<Options>();
  command = add_command(*group, "export",
                        "Take configs out of a backup, as `export` does: to publish them again with `import`");
  add_file(*command, options);
  command->add_option("where", options->where, "environment[/application[/cluster[/name]]]")
      ->required()
      ->type_name("WHERE");
  command
      ->add_option(
          "to", options->to,
          "A folder, a file that ends in .zip, or - for a zip on standard output; of a single config its content")
      ->required()
      ->type_name("DIR|FILE");
  command->footer(
      examples({"config-center backup export today.ccbackup dev/shop ./shop --data-dir ./data",
                "config-center backup export today.ccbackup dev/shop/default/application.yaml - --data-dir ./data"}));
  on_run(*command, session, [&session, options] { return export_configs(session, *options); });

  options = std::make_shared<Options>();
  command =
      add_command(*group, "compare", "What the node on this machine has that a backup has not: what restoring loses");
  add_file(*command, options);
  command->footer(examples({"config-center backup compare today.ccbackup --data-dir ./data",
                            "config-center backup compare today.ccbackup --data-dir ./data -o json > since.json"}));
  on_run(*command, session, [&session, options] { return compare(session, *options); });
}

}  // namespace cc::cli
