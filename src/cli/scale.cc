#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/topology_file.h"
#include "deploy/topology_edit.h"

namespace cc::cli {
namespace {

struct Options {
  std::string file = "topology.yaml", component = "app";
  std::vector<std::string> hosts;
};

// Changes the topology, checks it, deploys it, and writes it when that has ended well.
Result<> scale(Session& session, const Options& options, bool out) {
  TRY(const Installation before, open_installation(options.file));
  const std::string list = options.component == "app" ? "app.hosts" : options.component + ".replicas";
  auto text = out ? deploy::with_hosts(before.text, list, options.hosts)
                  : deploy::without_hosts(before.text, list, options.hosts);
  if (!text) return wrong_usage(std::move(text).error());
  auto after = with_text(before, options.file, *text);
  if (!after) return wrong_usage(std::move(after).error());
  if (!out) {
    TRYV(session.confirm(fmt::format("take {} out of {}; data on them stay", fmt::join(options.hosts, ", "), list)));
  }
  TRYV(deploy_installation(session, *after, {.name = out ? "scale out" : "scale in"}));
  return write_named_file(options.file, *text);
}

}  // namespace

void add_scale(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group =
      add_command(root, "scale", "Add nodes or replicas to an installation, or take them out")->require_subcommand(1);
  group->footer(
      examples({"config-center scale out --host app4,app5", "config-center scale in --component database --host db3"}));
  for (const bool out : {true, false}) {
    CLI::App* command = add_command(*group, out ? "out" : "in",
                                    out ? "Add hosts, which the topology names under hosts"
                                        : "Take hosts out, which the topology keeps under hosts");
    command->add_option("--component", options->component, "Of what: nodes, or replicas of the database or the cache")
        ->check(one_of({"app", "database", "cache"}))
        ->capture_default_str()
        ->type_name("NAME");
    command->add_option("--host", options->hosts, "Which; several with commas")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->required()
        ->type_name("NAME");
    add_topology_option(*command, options->file);
    if (!out) add_yes(*command, session);
    command->footer(out ? examples({"config-center scale out --host app4,app5",
                                    "config-center scale out --component database --host db4"})
                        : examples({"config-center scale in --host app4,app5",
                                    "config-center scale in --component cache --host cache2"}));
    on_run(*command, session, [&session, options, out] { return scale(session, *options, out); });
  }
}

}  // namespace cc::cli
