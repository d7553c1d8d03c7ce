#include "deploy/failover.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"
#include "deploy/topology_edit.h"

namespace cc::cli {
namespace {

struct Options {
  std::string file = "topology.yaml", to;
  bool lost = false;
};

Result<> failover_database(Session& session, const Options& options) {
  TRY(const Installation before, open_installation(options.file));
  if (!before.topology.database || before.topology.database->replicas.empty())
    return wrong_usage("the topology has no replica of the database that could become the primary");
  const std::string old_primary = before.topology.database->primary;
  std::string to = options.to;
  if (to.empty()) {
    const Waiting waiting("asking the replicas");
    TRY(to, deploy::most_advanced_replica(before.hosts(), *before.topology.database));
  }
  TRY(const std::string text, deploy::with_primary(before.text, before.topology, to));
  TRY(const Installation after, with_text(before, options.file, text));
  TRYV(session.confirm(
      options.lost ? fmt::format("make {} the primary of the database, and give {} up: what it did not send is lost",
                                 to, old_primary)
                   : fmt::format("stop {} and make {} the primary of the database", old_primary, to)));
  const auto last = before.records.last_good();
  if (!last) return fail(last.error());
  const deploy::Run run{.number = before.records.next_number()};
  const deploy::Wish wish{.topology = after.topology,
                          .secrets = after.secrets,
                          .release = deploy::release_on_hosts(last->release),
                          .run = run};
  TRYV(carry_out(session, after, {.name = "failover database", .release = last->release, .text = text, .undo = false},
                 run, deploy::database_failover(wish, old_primary, options.lost)));
  TRYV(write_named_file(options.file, text));
  if (session.output != Output::table) return {};
  return write_output(fmt::format(
      "{} is the primary now, also in {}{}\n", to, options.file,
      options.lost ? fmt::format("; when {} is back, make it a replica with: config-center deploy", old_primary) : ""));
}

Result<> failover_cache(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  if (!installation.topology.cache || installation.topology.cache->sentinels.empty())
    return wrong_usage("the topology has no Sentinels, who would choose another primary of the cache");
  TRYV(session.confirm("have the Sentinels make another Redis the primary"));
  const deploy::Run run{.number = installation.records.next_number()};
  return carry_out(session, installation,
                   {.name = "failover cache", .release = "", .text = installation.text, .undo = false, .whole = false},
                   run, deploy::cache_failover(installation.topology, installation.secrets, run));
}

}  // namespace

void add_failover(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group = add_command(root, "failover", "Make another host the primary of the database or of the cache")
                        ->require_subcommand(1);
  group->footer(examples({"config-center failover database", "config-center failover cache --yes"}));

  CLI::App* command = add_command(*group, "database", "PostgreSQL: the old primary becomes a replica");
  command->add_option("--to", options->to, "Which replica; the one that has received most without it")
      ->type_name("HOST");
  command->add_flag("--lost", options->lost, "The old primary's host is gone: go on without it");
  add_topology_option(*command, options->file);
  add_yes(*command, session);
  command->footer(
      examples({"config-center failover database --to db2", "config-center failover database --lost --yes"}));
  on_run(*command, session, [&session, options] { return failover_database(session, *options); });

  command = add_command(*group, "cache", "Redis: the Sentinels choose another primary");
  add_topology_option(*command, options->file);
  add_yes(*command, session);
  command->footer(examples({"config-center failover cache", "config-center failover cache --yes"}));
  on_run(*command, session, [&session, options] { return failover_cache(session, *options); });
}

}  // namespace cc::cli
