#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/deployment_output.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;

struct Options {
  std::string file = "topology.yaml";
  std::uint64_t number = 0;
  std::string backup, folder = ".";
  bool no_undo = false, restore_data = false, of_another = false;
};

Result<> list(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const auto records, installation.records.all());
  boost::json::array items;
  for (const deploy::Record& record : records)
    items.push_back(json_of(record));
  return session.print_list(items,
                            {{"NUMBER", "number"},
                             {"OPERATION", "operation"},
                             {"RELEASE", "release"},
                             {"BEGAN", "began"},
                             {"WHO", "who"},
                             {"STEPS", "steps"},
                             {"RESULT", "result"}},
                            "nothing was deployed yet; begin with: config-center plan");
}

Result<> show(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const deploy::Record record, installation.records.find(options.number));
  boost::json::object told = json_of(record);
  boost::json::array steps;
  Table table({"HOST", "STEP", "STATE", "SECONDS", "MESSAGE"});
  for (const deploy::Outcome& each : record.outcomes) {
    const std::string seconds = fmt::format("{:.1f}", std::chrono::duration<double>(each.took).count());
    table.add({each.host, each.step, std::string(deploy::to_string(each.state)), seconds, each.message});
    steps.push_back(json_of(each));
  }
  told["steps"] = std::move(steps);
  told["topology"] = installation.records.topology_of(record.number).string();
  return session.print(told, [&] {
    return fmt::format("{} {} of {}, by {}, {}: {}\ntopology: {}\n\n{}", record.operation, record.number,
                       record.release, record.who, format_time(record.began), record.result,
                       installation.records.topology_of(record.number).string(), table.to_text());
  });
}

Result<> unlock(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  const auto connection = deploy::connect(installation.topology, deploy::host_of_lock(installation.topology));
  const Deadline until(installation.clock, installation.clock.now() + 1min);
  TRY(const std::string who, deploy::holder(*connection, until));
  if (who.empty()) return session.print({{"unlocked", false}}, [] { return "no operation holds the lock\n"; });
  TRYV(session.confirm(fmt::format("break the lock of: {}", who)));
  TRYV(deploy::break_lock(*connection, until));
  return session.print({{"unlocked", true}, {"holder", who}},
                       [&] { return fmt::format("broke the lock of: {}\n", who); });
}

// Of the first deployment after that one which brought another release: before it, the data were as that one left them.
Result<deploy::KeptBackup> backup_after(const Installation& installation, const deploy::Record& target) {
  TRY(const auto records, installation.records.all());
  for (const deploy::Record& record : records) {
    if (record.number > target.number && !record.release.empty() && record.release != target.release)
      return deploy::find_backup(installation.hosts(), record.number);
  }
  return fail(Code::not_found, fmt::format("no other release than {} was deployed since {}: there is no backup, and no "
                                           "need of one",
                                           target.release, target.number));
}

Result<std::string> what_is_lost(const Installation& installation, const deploy::KeptBackup& backup) {
  const Waiting waiting("asking what was changed since the backup");
  return deploy::changed_since(installation.hosts(), backup);
}

Result<> rollback(Session& session, const Options& options) {
  TRY(const Installation now, open_installation(options.file));
  deploy::Record target;
  if (options.number != 0) {
    TRY(target, now.records.find(options.number));
  } else {
    TRY(const deploy::Record newest, now.records.last_good());
    TRY(target, now.records.last_good(newest.state));
  }
  TRY(std::string text, read_file(now.records.topology_of(target.number)));
  TRY(const Installation then, with_text(now, now.records.topology_of(target.number).string(), std::move(text)));
  Deployment deployment{
      .name = fmt::format("rollback to {}", target.number), .release = target.release, .undo = !options.no_undo};
  std::string data = "data stay as they are";
  if (options.restore_data) {
    deployment.backup = false;  // by a release that may not do: what is there is set aside on each node
    TRY(deployment.data, backup_after(now, target));
    TRY(const std::string lost, what_is_lost(now, *deployment.data));
    fmt::print(stderr, "{}\n", for_output(lost));
    data = fmt::format(
        "data go back to backup {} of {}, and what was changed since, as above, is lost; nodes do not "
        "answer meanwhile",
        deployment.data->name, deployment.data->host);
  }
  TRYV(session.confirm(fmt::format("go back to deployment {} ({}, {}); settings and program go back, {}", target.number,
                                   target.release, format_time(target.began), data)));
  return deploy_installation(session, then, deployment);
}

Result<> back_up(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  std::error_code error;
  if (!std::filesystem::is_directory(options.folder, error))
    return fail(Code::not_found, options.folder + " is no folder: make it first");
  std::optional<deploy::TakenBackup> taken;
  {
    const Waiting waiting("making a backup, and verifying it");
    TRY(taken, deploy::take_backup(installation.hosts(), options.folder));
  }
  const std::uint64_t bytes = std::filesystem::file_size(taken->file, error);
  return session.print({{"file", taken->file.string()},
                        {"name", taken->backup.name},
                        {"host", taken->backup.host},
                        {"revision", taken->backup.revision},
                        {"bytes", bytes}},
                       [&] {
                         return fmt::format("{}: {}, revision {}, made and verified on {}\n", taken->file.string(),
                                            format_size(bytes), taken->backup.revision, taken->backup.host);
                       });
}

Result<> restore(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const deploy::Record last, installation.records.last_good());
  const deploy::Hosts hosts = installation.hosts();
  Deployment deployment{.name = "restore", .release = last.release, .undo = !options.no_undo};
  {
    const Waiting waiting("putting the backup to a node, and verifying it there");
    TRY(deployment.data, deploy::bring_backup(hosts, options.backup, installation.records.next_number()));
  }
  deployment.data->of_another = options.of_another;
  std::string lost = "everything that is in it now is lost, and users have the passwords of the backup";
  if (!options.of_another) {
    const auto changes = what_is_lost(installation, *deployment.data);
    if (!changes) {
      return fail(changes.error().code,
                  changes.error().message +
                      "\nwith --of-another it is restored all the same: all configs come anew to those who watch");
    }
    fmt::print(stderr, "{}\n", for_output(*changes));
    lost = "what was changed since, as above, is lost";
  }
  TRYV(session.confirm(fmt::format("restore backup {} to all nodes of {}: {}; nodes do not answer meanwhile",
                                   deployment.data->name, installation.topology.name, lost)));
  return deploy_installation(session, installation, deployment);
}

}  // namespace

void add_deployment(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group =
      add_command(root, "deployment", "What was done to an installation, and going back")->require_subcommand(1);
  group->footer(examples({"config-center deployment list", "config-center deployment rollback"}));

  CLI::App* command = add_command(*group, "list", "List the deployments of an installation");
  add_topology_option(*command, options->file);
  command->footer(examples({"config-center deployment list", "config-center deployment list -o json"}));
  on_run(*command, session, [&session, options] { return list(session, *options); });

  command = add_command(*group, "show", "Show the steps of a deployment");
  command->add_option("number", options->number, "Which one")->required()->check(positive())->type_name("NUMBER");
  add_topology_option(*command, options->file);
  command->footer(examples({"config-center deployment show 1"}));
  on_run(*command, session, [&session, options] { return show(session, *options); });

  command = add_command(*group, "rollback", "Bring back the topology and the program of an earlier deployment");
  command->add_option("--to", options->number, "Which one; the one before the last that ended well without it")
      ->check(positive())
      ->type_name("NUMBER");
  command->add_flag(
      "--restore-data", options->restore_data,
      "Bring back the data, too, as they were before the release that followed: what was changed since is "
      "shown, and lost");
  command->add_flag("--no-undo", options->no_undo, "Leave what was done when a step fails");
  add_topology_option(*command, options->file);
  add_yes(*command, session);
  command->footer(examples({"config-center deployment rollback", "config-center deployment rollback --to 1 --yes",
                            "config-center deployment rollback --restore-data"}));
  on_run(*command, session, [&session, options] { return rollback(session, *options); });

  command = add_command(*group, "backup", "Make a backup of all data, and bring it here");
  command->add_option("folder", options->folder, "Where it goes, named by time and revision; here without it")
      ->type_name("DIR");
  add_topology_option(*command, options->file);
  command->footer(
      examples({"config-center deployment backup", "config-center deployment backup /backups -t topology.yaml"}));
  on_run(*command, session, [&session, options] { return back_up(session, *options); });

  command = add_command(*group, "restore", "Bring the data of all nodes back to a backup: on all, or on none");
  command->add_option("file", options->backup, "The backup; sealed with the key of this installation, or not sealed")
      ->required()
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command->add_flag("--of-another", options->of_another,
                    "It is of another installation, or of this one before it was made anew: all configs come anew");
  command->add_flag("--no-undo", options->no_undo, "Leave what was done when a step fails");
  add_topology_option(*command, options->file);
  add_yes(*command, session);
  command->footer(examples({"config-center deployment restore 20261128T031500Z-r1042.ccbackup",
                            "config-center deployment restore old.ccbackup --of-another -t new.yaml"}));
  on_run(*command, session, [&session, options] { return restore(session, *options); });

  command = add_command(*group, "unlock", "Break the lock of an operation that is no more");
  add_topology_option(*command, options->file);
  add_yes(*command, session);
  command->footer(examples({"config-center deployment unlock", "config-center deployment unlock --yes"}));
  on_run(*command, session, [&session, options] { return unlock(session, *options); });
}

}  // namespace cc::cli
