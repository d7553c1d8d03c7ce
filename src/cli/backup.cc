#include "backup/backup.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "backup/cron.h"
#include "backup/kept.h"
#include "backup/since_json.h"
#include "base/background.h"
#include "base/text.h"
#include "cli/address.h"
#include "cli/backup_output.h"
#include "cli/commands.h"
#include "cli/folder.h"
#include "cli/node_settings.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "node/backups.h"
#include "node/history_backup.h"
#include "node/rehearsal.h"
#include "node/restore.h"

namespace cc::cli {
namespace {

const SystemClock kClock;

struct Options {
  std::shared_ptr<NodeOptions> node = std::make_shared<NodeOptions>();
  std::string file, where, to;
  bool unsealed = false;
  std::string level = "rows";
  int count = 5;
};

Result<> create(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  StateProgress progress("backing up"), uploading("storing");
  go_to_idle();  // who publishes meanwhile comes first
  auto made = options.file.empty()
                  ? node::back_up_to_storage(settings, !options.unsealed, kClock, progress.teller(), uploading.teller())
                  : node::back_up(settings, options.file, !options.unsealed, kClock, progress.teller());
  if (!made) return fail(std::move(made).error());
  const auto& history = made->manifest.history;
  if (history && !history->trouble.empty())
    session.notice = fmt::format("warning: it is not known how far the archive is: {}", history->trouble);
  boost::json::object told = json_of(made->manifest);
  told["file"] = made->file.where();
  told["bytes"] = made->bytes;
  return session.print(told, [&] {
    return fmt::format(
        "backed up {} at revision {}{} to {} ({}{})\n", counted(made->manifest.contents.configs, "config"),
        made->manifest.contents.position.revision,
        history && history->included() ? fmt::format(", and the archive up to revision {},", history->revision) : "",
        made->file.where(), format_size(made->bytes),
        options.unsealed ? ", not sealed: whoever has it can read it" : "");
  });
}

// A backup that was named, and what opens it.
struct Named {
  backup::File file;
  std::string key;
};
Result<Named> named(const node::Settings& settings, const Options& options) {
  Named out;
  TRY(out.file, node::find_backup(settings, options.file, kClock));
  TRY(out.key, node::sealing_key(settings));
  return out;
}

Result<> show(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const Named one, named(settings, options));
  TRY(const backup::Manifest manifest, backup::manifest_of(one.file, one.key));
  return session.print(json_of(manifest), [&] { return text_of(manifest); });
}

// Whether it is one of those that are kept, which remember that they were verified.
bool is_kept(const node::Settings& settings, const backup::File& file) {
  const auto storage = node::open_storage(settings, kClock);
  if (!storage) return false;
  const std::string where = (*storage)->where(file.name);
  std::error_code error;
  return where == file.where() ||
         (settings.backup.type == "local" && std::filesystem::equivalent(where, file.where(), error));
}

std::string_view meaning_of(std::string_view level) {
  if (level == "checksums") return "it is complete, and all its checksums match";
  if (level == "rows") return "every row was read, and every content held against its checksum";
  return "every row was read, and a node that was restored from it started and answered";
}

Result<> verify(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const Named one, named(settings, options));
  TRY(const TempDirectory scratch, TempDirectory::make());
  const Path beside = scratch.path() / "tmp";
  StateProgress progress("verifying");
  const auto look = [&] {
    if (options.level == "restored") return node::rehearse(settings, one.file, beside, kClock, progress.teller());
    const auto level = options.level == "rows" ? backup::Level::rows : backup::Level::checksums;
    return node::verify_backup(one.file, one.key, level, beside, kClock, progress.teller());
  };
  TRY(const node::VerifiedBackup verified, look());
  const backup::Manifest& manifest = verified.manifest;
  if (!verified.unread.empty())
    session.notice =
        fmt::format("warning: the checksum of the archive's dump matches, and nobody has read it: {}", verified.unread);
  if (options.level != "checksums" && is_kept(settings, one.file)) {
    TRYV(options.level == "rows" ? backup::note_verified(one.file, kClock.wall())
                                 : backup::note_restored(one.file, kClock.wall()));
  }
  boost::json::object told = json_of(manifest);
  told["verified"] = options.level;
  told["unread"] = verified.unread;
  return session.print(told, [&] {
    return fmt::format("{} is good: {}\n\n{}", options.file, meaning_of(options.level), text_of(manifest));
  });
}

// Gives its name to what is whole, and looks at it as `verify --level checksums` does where there is the key.
Result<> download(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const Named one, named(settings, options));
  Path to = options.to.empty() ? Path(one.file.name) : Path(options.to);
  std::error_code error;
  if (std::filesystem::is_directory(to, error)) to /= one.file.name;
  StateProgress progress("downloading");
  TRY(const std::uint64_t bytes, backup::download(one.file, to, progress.teller()));
  return session.print({{"file", to.string()}, {"bytes", bytes}}, [&] {
    return fmt::format("downloaded {} to {} ({}); look at it with: config-center backup verify {}\n", one.file.where(),
                       to.string(), format_size(bytes), to.string());
  });
}

Result<> compare(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const backup::File file, node::find_backup(settings, options.file, kClock));
  TRY(const auto since, node::changed_since_backup(settings, file, kClock));
  return session.print(backup::to_json(since), [&] { return text_of(since); });
}

Result<> list(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const std::string key, node::sealing_key(settings));
  TRY(const auto storage, node::open_storage(settings, kClock));
  TRY(const auto all, backup::list(storage, key));
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
                             {"RESTORED", "restored"},
                             {"TROUBLE", "trouble"}},
                            "there is no backup; make one with: config-center backup create");
}

Result<> prune(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  TRY(const std::string key, node::sealing_key(settings));
  TRY(const auto storage, node::open_storage(settings, kClock));
  TRY(const auto all, backup::list(storage, key));
  if (!session.dry_run) TRYV(backup::tidy(*storage));
  const auto old = backup::to_remove(all, node::retention_of(settings), kClock.wall());
  boost::json::array names;
  std::string text;
  for (const backup::Kept& each : old) {
    names.emplace_back(each.file.where());
    text += fmt::format("  {}\n", each.file.where());
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
  boost::json::array runs;
  std::string text;
  Wall at = kClock.wall();
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
  TRY(const Named backup, named(settings, options));
  TRY(const Where where, parse_where(options.where));
  if (where.environment.empty()) {
    return wrong_usage("say what to take out: ENVIRONMENT, with /APPLICATION, /CLUSTER and /NAME when it is less");
  }
  TRY(const TempDirectory scratch, TempDirectory::make());
  StateProgress progress("reading");
  const bool one = !where.name_prefix.empty();
  const std::string prefix = one ? options.where : options.where + "/";
  TRY(auto configs, backup::configs_in(backup.file, backup.key, prefix, scratch.path() / "tmp", progress.teller()));
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
  command.add_option("file", options->file, "The backup: a file, or one that `backup list` shows")
      ->required()
      ->type_name("FILE|NAME");
  add_node_options(command, options->node);
}

}  // namespace

void add_backup(CLI::App& root, Session& session) {
  CLI::App* group = add_command(root, "backup", "Make backups of a node's state, and of the archive, and look at them")
                        ->require_subcommand(1);
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
                   "else it goes where backup.storage says")
      ->type_name("FILE|DIR");
  add_node_options(*command, options->node);
  add_setting(*command, options->node, "--archive", "backup.archive",
              "The history in the archive: referenced or included; else as the settings say", "HOW");
  command->add_flag("--unsealed", options->unsealed,
                    "Do not seal it with the security.encryption_key: a .tar.zst that anybody can open");
  command->footer(examples({
      "config-center backup create /backups --config /etc/config-center/config.yaml",
      "config-center backup create --data-dir ./data",
      "config-center backup create --config /etc/config-center/config.yaml --archive included",
      "config-center backup create today.tar.zst --data-dir ./data --unsealed",
  }));
  on_run(*command, session, [&session, options] { return create(session, *options); });

  options = std::make_shared<Options>();
  command = add_command(*group, "list", "The backups in backup.storage of the node on this machine");
  add_node_options(*command, options->node);
  command->footer(examples({"config-center backup list --config /etc/config-center/config.yaml",
                            "config-center backup list --data-dir ./data -o json"}));
  on_run(*command, session, [&session, options] { return list(session, *options); });

  options = std::make_shared<Options>();
  command = add_command(*group, "download", "Copy a backup from backup.storage to a file");
  add_file(*command, options);
  command->add_option("to", options->to, "The file to make, or a folder; else it is named as it is, here")
      ->type_name("FILE|DIR");
  command->footer(examples({
      "config-center backup download 20261128T031500Z-r1042 --config /etc/config-center/config.yaml",
      "config-center backup download 20261128T031500Z-r1042 today.ccbackup --data-dir ./data",
  }));
  on_run(*command, session, [&session, options] { return download(session, *options); });

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
  command
      ->add_option("--level", options->level,
                   "checksums: read to its end; rows: and every row of its state, and by pg_restore the dump of the "
                   "archive, where there is one; restored: and a node is made of it in a temporary folder, which must "
                   "start and answer")
      ->check(CLI::IsMember({"checksums", "rows", "restored"}))
      ->capture_default_str()
      ->type_name("LEVEL");
  command->footer(examples({"config-center backup verify today.ccbackup --data-dir ./data",
                            "config-center backup verify today.ccbackup --level checksums",
                            "config-center backup verify today.ccbackup --level restored --data-dir ./data"}));
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
