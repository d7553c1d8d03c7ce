#include <algorithm>
#include <chrono>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/process.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/deployment_output.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;
using State = deploy::Outcome::State;

constexpr auto kPatienceWithBuild = 3h;
constexpr std::size_t kEndOfOutput = 2000;

struct Options {
  std::string file = "topology.yaml";
  Deployment deployment;
  bool no_undo = false, no_verify = false, no_check = false, no_backup = false, build = false;
};

// By script/package of the source that this is run in: the .deb that it made.
Result<std::string> build_package() {
  const Path script = std::filesystem::current_path() / "script/package";
  std::error_code error;
  if (!std::filesystem::exists(script, error))
    return wrong_usage("--build is for a folder with the source of config-center: there is no script/package here");
  const Waiting waiting("building, testing and packing: script/package");
  const SystemClock clock;
  TRY(const Finished finished, run_process({script.string()}, "", {clock, clock.now() + kPatienceWithBuild}));
  if (!finished.good()) {
    const std::string_view said = trim(finished.errors.empty() ? finished.output : finished.errors);
    return fail(Code::unavailable, fmt::format("script/package ended with {}:\n{}", finished.status,
                                               said.substr(said.size() - std::min(said.size(), kEndOfOutput))));
  }
  TRY(const std::string sums, read_file("build/packages/SHA256SUMS"));
  for (const std::string_view line : split(sums, '\n')) {
    const std::string_view name = line.substr(std::min(line.rfind(' ') + 1, line.size()));
    if (name.ends_with(".deb")) return fmt::format("build/packages/{}", name);
  }
  return fail(Code::internal, "build/packages/SHA256SUMS names no .deb: what did script/package say?");
}

Result<> plan(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const deploy::Release release, release_of(installation, options.deployment.package));
  const deploy::Stages stages =
      stages_of(installation, release, {.number = installation.records.next_number()}, options.deployment, {});
  TRY(const std::vector<deploy::Outcome> outcomes, plan_of(installation, stages));
  boost::json::array changes;
  std::string text;
  for (const deploy::Host& host : installation.topology.hosts) {
    bool first = true;
    for (const deploy::Outcome& each : outcomes) {
      if (each.host != host.name || each.state == State::as_it_is) continue;
      if (first) text += fmt::format("{}{} ({})\n", text.empty() ? "" : "\n", host.name, host.address);
      first = false;
      std::string message;
      for (const std::string_view line : split(each.message, '\n'))
        message += fmt::format("      {}\n", line);
      text += fmt::format("  {}\n{}", each.step, message);
      changes.push_back(json_of(each));
    }
  }
  const std::size_t count = changes.size();
  return session.print({{"release", release.name}, {"changes", std::move(changes)}}, [&] {
    if (count == 0) return fmt::format("nothing to do: all {} steps are as they should be\n", outcomes.size());
    return fmt::format("{}\n{} to do; nothing was changed. To do it: config-center deploy -t {}\n", for_output(text),
                       counted(count, "step"), options.file);
  });
}

Result<> deploy(Session& session, Options options) {
  TRY(const Installation installation, open_installation(options.file));
  if (options.build) {
    TRY(options.deployment.package, build_package());
  }
  options.deployment.undo = !options.no_undo;
  options.deployment.verify = !options.no_verify;
  options.deployment.check = !options.no_check;
  options.deployment.backup = !options.no_backup;
  return deploy_installation(session, installation, options.deployment);
}

CLI::Option* add_package(CLI::App& command, Options& options) {
  return command
      .add_option("--package", options.deployment.package,
                  "The .deb or .tar.gz of script/package; without it the release that is there")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
}

}  // namespace

void add_plan(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "plan", "Tell what a deployment would change on each host; changes nothing");
  add_topology_option(*command, options->file);
  add_package(*command, *options);
  command->footer(
      examples({"config-center plan --package config-center_0.1.0_amd64.deb", "config-center plan -o json"}));
  on_run(*command, session, [&session, options] { return plan(session, *options); });
}

void add_deploy(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      root, "deploy", "Bring the hosts to what the topology says: install, configure, start, verify; also an upgrade");
  add_topology_option(*command, options->file);
  CLI::Option* package = add_package(*command, *options);
  command->add_flag("--build", options->build, "Make the package first, with script/package of this folder")
      ->excludes(package);
  command->add_flag("--no-undo", options->no_undo, "Leave what was done when a step fails");
  command->add_flag("--no-check", options->no_check, "The first time: do not look at the hosts first, as check does");
  command->add_flag("--no-backup", options->no_backup,
                    "Make no backup of the nodes' data before another release comes");
  command->add_flag("--no-verify", options->no_verify, "End when all services are ready");
  command->add_flag("--overwrite", options->deployment.overwrite,
                    "Also files that were changed by hand; they are kept");
  command->footer(
      examples({"config-center deploy --package config-center_0.1.0_amd64.deb", "config-center deploy -t prod.yaml",
                "config-center deploy --build", "config-center deploy -o json"}));
  on_run(*command, session, [&session, options] { return deploy(session, *options); });
}

void add_verify(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(root, "verify", "Tell whether an installation works: its services, and what it is for");
  add_topology_option(*command, options->file);
  command->footer(examples({"config-center verify", "config-center verify -t prod.yaml -o json"}));
  on_run(*command, session, [&session, options]() -> Result<> {
    TRY(const Installation installation, open_installation(options->file));
    return verify_installation(session, installation);
  });
}

}  // namespace cc::cli
