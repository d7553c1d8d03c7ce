#include "deploy/maintenance.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/deployment_output.h"
#include "cli/installation.h"
#include "cli/node_settings.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"
#include "node/upkeep.h"

namespace cc::cli {
namespace {

using State = deploy::Outcome::State;

constexpr std::string_view kName = "maintenance";  // in the records of deployments

struct Options {
  std::string file = "topology.yaml";
  std::shared_ptr<NodeOptions> node = std::make_shared<NodeOptions>();
  std::vector<std::string> tasks;
  std::string calendar = "Sun 03:00", to;

  bool of_node() const { return !node->config.empty() || !node->flags.empty(); }
  bool has(std::string_view task) const { return tasks.empty() || deploy::is_among(task, tasks); }
};

// --- a node's own folder ---

Result<> node_maintenance(Session& session, const Options& options) {
  TRY(const node::Settings settings, node_settings(*options.node));
  const SystemClock clock;
  TRY(node::Upkept found, node::look_at(settings, clock.wall()));
  const bool gives_back = found.before.much() && found.before.can_give_back;
  if (!session.dry_run) {
    TRY(found, node::keep_up(settings, clock.wall(), {}));
  }
  boost::json::array removed;
  std::string text =
      fmt::format("state: {}, of which {} not used\n", format_size(found.after.bytes), format_size(found.after.unused));
  if (session.dry_run && gives_back) text += "  what is not used is given back to the disk\n";
  if (found.before.much() && !found.before.can_give_back) {
    text +=
        "  it was made by a version that could give nothing back: stop the node, move its data folder away, and start "
        "it again, so that it takes all from the leader\n";
  }
  for (const node::Leftover& each : found.removed) {
    removed.push_back({{"path", each.path.string()}, {"bytes", each.bytes}, {"why", each.why}});
    text += fmt::format("{} {} ({}, {})\n", session.dry_run ? "would remove" : "removed", each.path.string(),
                        format_size(each.bytes), each.why);
  }
  return session.print({{"dry_run", session.dry_run},
                        {"due", session.dry_run && (gives_back || !found.removed.empty())},
                        {"state_bytes", found.after.bytes},
                        {"unused_bytes", found.after.unused},
                        {"removed", removed}},
                       [&] { return text; });
}

// --- an installation ---

deploy::Stages databases_and_cleaning(const Installation& installation, const Options& options,
                                      const deploy::Run& run) {
  deploy::Stages stages;
  if (options.has("databases")) stages.push_back(deploy::databases_stage(installation.topology, run));
  if (options.has("cleaning")) stages.push_back(deploy::cleaning_stage(installation.topology));
  return stages;
}

Result<std::vector<deploy::Outcome>> due(const Installation& installation, const deploy::Stages& stages) {
  TRY(auto outcomes, plan_of(installation, stages));
  std::erase_if(outcomes, [](const deploy::Outcome& each) { return each.state == State::as_it_is; });
  return outcomes;
}

// Of all tasks.
Result<std::vector<deploy::Outcome>> due(const Installation& installation, const Options& options,
                                         const deploy::Run& run) {
  deploy::Stages stages = databases_and_cleaning(installation, options, run);
  if (options.has("updates")) stages.push_back(deploy::updates_stage(installation.topology, installation.secrets));
  return due(installation, stages);
}

boost::json::array list_of(const std::vector<deploy::Outcome>& outcomes) {
  boost::json::array items;
  for (const deploy::Outcome& each : outcomes)
    items.push_back(json_of(each));
  return items;
}

std::string text_of(const std::vector<deploy::Outcome>& outcomes) {
  if (outcomes.empty()) return "nothing is due\n";
  std::string text;
  for (const deploy::Outcome& each : outcomes) {
    text += fmt::format("{:<10} {:<12} {}\n", each.stage, each.host, each.step);
    for (const std::string_view line : split(each.message, '\n'))
      text += fmt::format("           | {}\n", line);
  }
  return text;
}

Result<> installation_maintenance(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const deploy::Record last, installation.records.last_good());
  const deploy::Run run{.number = installation.records.next_number()};
  if (session.dry_run) {
    TRY(const auto outcomes, due(installation, options, run));
    return session.print({{"due", list_of(outcomes)}}, [&] { return text_of(outcomes); });
  }
  // Nothing is done to what is not well.
  if (options.has("status"))
    TRYV(verify_installation(session, installation, {deploy::same_state(installation.topology)}));

  deploy::Stages stages = databases_and_cleaning(installation, options, run);
  if (options.has("updates")) stages.push_back(deploy::package_lists_stage(installation.topology));
  const Operation operation{
      .name = std::string(kName), .release = last.release, .text = installation.text, .undo = false, .whole = false};
  TRYV(carry_out(session, installation, operation, run, stages));
  if (!options.has("updates")) return {};

  // Only now it is known what there is to update.
  const deploy::Run updates{.number = installation.records.next_number()};
  TRY(const auto outcomes, due(installation, {deploy::updates_stage(installation.topology, installation.secrets)}));
  if (!outcomes.empty()) {
    fmt::print(stderr, "{}", for_output(text_of(outcomes)));
    TRYV(
        session.confirm(fmt::format("update packages on {}, one after the other; programs are started anew where "
                                    "their packages say so",
                                    counted(outcomes.size(), "host"))));
  }
  std::vector<std::string> hosts(outcomes.size());
  std::ranges::transform(outcomes, hosts.begin(), &deploy::Outcome::host);
  deploy::Stages more = deploy::updates_stages(installation.topology, installation.secrets, hosts);
  more.push_back(deploy::report_stage(installation.topology, updates));
  TRYV(carry_out(session, installation, operation, updates, more));
  return hosts.empty() ? Result<>() : verify_installation(session, installation);
}

Result<> run(Session& session, const Options& options) {
  return options.of_node() ? node_maintenance(session, options) : installation_maintenance(session, options);
}

Result<> status(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRYV(installation.records.last_good());
  TRY(const auto records, installation.records.all());
  const deploy::Run run{.number = installation.records.next_number()};
  TRY(const auto outcomes, due(installation, options, run));
  boost::json::array runs;
  Table table({"NUMBER", "BEGAN", "WHO", "STEPS", "RESULT"});
  for (const deploy::Record& each : records) {
    if (each.operation != kName) continue;
    runs.push_back(json_of(each));
    table.add({fmt::to_string(each.number), format_time(each.began), each.who, fmt::to_string(each.outcomes.size()),
               each.result});
  }
  return session.print({{"runs", runs}, {"due", list_of(outcomes)}}, [&] {
    return fmt::format("{}\n{}", table.rows() == 0 ? "there was no maintenance yet\n" : table.to_text(),
                       text_of(outcomes));
  });
}

// --- by the clock ---

// Where the operator works, who has the topology, its secrets and the way to the hosts.
Result<> schedule(Session& session, const Options& options) {
  TRY(const deploy::Topology topology, read_topology_file(options.file));
  std::error_code error;
  const Path file = std::filesystem::absolute(options.file, error);
  const Path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string unit = fmt::format("config-center-maintenance-{}", topology.name);
  const std::string service = fmt::format(
      "[Unit]\nDescription=Maintenance of the config-center installation {}\n\n"
      "[Service]\nType=oneshot\nWorkingDirectory={}\nExecStart={} maintenance run --yes --topology {}\n",
      topology.name, file.parent_path().string(), program.string(), file.string());
  const std::string timer = fmt::format(
      "[Unit]\nDescription=Maintenance of the config-center installation {}\n\n"
      "[Timer]\nOnCalendar={}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
      topology.name, options.calendar);
  if (!options.to.empty()) {
    const Path folder = options.to;
    TRYV(make_directories(folder));
    TRYV(write_file(folder / (unit + ".service"), service));
    TRYV(write_file(folder / (unit + ".timer"), timer));
  }
  return session.print({{"service", service}, {"timer", timer}}, [&] {
    if (options.to.empty()) return fmt::format("# {0}.service\n{1}\n# {0}.timer\n{2}", unit, service, timer);
    return fmt::format(
        "{0}/{1}.service and {1}.timer are written. To begin: systemctl daemon-reload && systemctl "
        "enable --now {1}.timer (--user for your own)\n",
        options.to, unit);
  });
}

}  // namespace

void add_maintenance(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group =
      add_command(root, "maintenance", "What an installation, or a node, needs over the years")->require_subcommand(1);
  group->footer(examples({"config-center maintenance status", "config-center maintenance run --dry-run"}));
  const auto add_tasks = [&](CLI::App& command) {
    command.add_option("--only", options->tasks, "Only these")
        ->delimiter(',')
        ->check(CLI::IsMember({"status", "databases", "cleaning", "updates"}))
        ->type_name("TASKS");
  };

  CLI::App* command = add_command(
      *group, "run",
      "Look whether all is well, put the databases in order, clean up, and apply security updates, one host at a time");
  add_topology_option(*command, options->file);
  add_tasks(*command);
  add_node_options(*command, options->node);
  add_dry_run(*command, session);
  add_yes(*command, session);
  command->footer(examples({"config-center maintenance run", "config-center maintenance run --only status,databases",
                            "config-center maintenance run --dry-run -o json",
                            "config-center maintenance run --data-dir ./data   # of one node, here"}));
  on_run(*command, session, [&session, options] { return run(session, *options); });

  command = add_command(*group, "status", "Tell what is due, and when there was maintenance");
  add_topology_option(*command, options->file);
  add_tasks(*command);
  command->footer(examples({"config-center maintenance status", "config-center maintenance status -o json"}));
  on_run(*command, session, [&session, options] { return status(session, *options); });

  command =
      add_command(*group, "schedule", "Write what systemd needs to do it by the clock, on the operator's machine");
  add_topology_option(*command, options->file);
  command->add_option("--calendar", options->calendar, "When, as systemd.time(7) has it; \"Sun 03:00\" unless given")
      ->type_name("WHEN");
  command->add_option("--to", options->to, "The folder for both files; they are printed without it")->type_name("DIR");
  command->footer(examples({"config-center maintenance schedule",
                            "config-center maintenance schedule --calendar 'Mon 02:30' --to /etc/systemd/system"}));
  on_run(*command, session, [&session, options] { return schedule(session, *options); });
}

}  // namespace cc::cli
