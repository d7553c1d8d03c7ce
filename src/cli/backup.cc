#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "backup/backup.h"
#include "backup/since_json.h"
#include "base/text.h"
#include "cli/backup_output.h"
#include "cli/commands.h"
#include "cli/node_settings.h"
#include "cli/session.h"
#include "node/restore.h"

namespace cc::cli {
namespace {

struct Options {
  std::shared_ptr<NodeOptions> node = std::make_shared<NodeOptions>();
  std::string file;
  bool unsealed = false;
  std::string level = "rows";
};

Result<> create(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  const SystemClock clock;
  StateProgress progress("backing up");
  TRY(const backup::Created made, node::back_up(settings, options.file, !options.unsealed, clock, progress.teller()));
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

void add_file(CLI::App& command, const std::shared_ptr<Options>& options) {
  command.add_option("file", options->file, "The backup")->required()->type_name("FILE");
  add_node_options(command, options->node);
}

}  // namespace

void add_backup(CLI::App& root, Session& session) {
  CLI::App* group = add_command(root, "backup", "Make backups of a node's state, and look at them")->require_subcommand(1);
  group->footer(examples({
      "config-center backup create /backups --config /etc/config-center/config.yaml",
      "config-center backup verify /backups/20261128T031500Z-r1042.ccbackup --config /etc/config-center/config.yaml",
  }));

  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(*group, "create", "Back up the state of the node on this machine, while it runs or not");
  command->add_option("to", options->file, "The file to make; or a folder, in which it is named by time and revision")
      ->required()
      ->type_name("FILE|DIR");
  add_node_options(*command, options->node);
  command->add_flag("--unsealed", options->unsealed,
                    "Do not seal it with the security.encryption_key: a .tar.zst that anybody can open");
  command->footer(examples({
      "config-center backup create /backups --config /etc/config-center/config.yaml",
      "config-center backup create /backups --data-dir ./data",
      "config-center backup create today.tar.zst --data-dir ./data --unsealed",
  }));
  on_run(*command, session, [&session, options] { return create(session, *options); });

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
  command = add_command(*group, "compare", "What the node on this machine has that a backup has not: what restoring loses");
  add_file(*command, options);
  command->footer(examples({"config-center backup compare today.ccbackup --data-dir ./data",
                            "config-center backup compare today.ccbackup --data-dir ./data -o json > since.json"}));
  on_run(*command, session, [&session, options] { return compare(session, *options); });
}

}  // namespace cc::cli
