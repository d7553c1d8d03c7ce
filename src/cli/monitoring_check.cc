#include "deploy/monitoring_check.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/session.h"
#include "cli/topology_file.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 2min;  // with all of the programs

Result<> check(Session& session, const std::string& file) {
  TRY(const deploy::Topology topology, read_topology_file(file));
  TRY(const TempDirectory work, TempDirectory::make());
  const SystemClock clock;
  TRY(const std::vector<deploy::Finding> findings,
      deploy::check_monitoring(topology, work.path(), {clock, clock.now() + kPatience}));
  if (findings.empty()) return wrong_usage(file + " has neither Prometheus nor Alertmanager nor Grafana");
  TRYV(print_findings(session, findings, true));
  const auto untested = std::ranges::find(findings, deploy::Verdict::not_tested, &deploy::Finding::verdict);
  if (untested != findings.end()) return fail(Code::not_found, untested->message);
  return {};
}

}  // namespace

void add_monitoring_check(CLI::App& group, Session& session) {
  auto file = std::make_shared<std::string>("topology.yaml");
  CLI::App* command =
      add_command(group, "check", "Hold the files of monitoring against the programs that read them: promtool, amtool");
  add_topology_option(*command, *file);
  command->footer(examples({"config-center monitoring check", "config-center monitoring check -t prod.yaml -o json"}));
  on_run(*command, session, [&session, file] { return check(session, *file); });
}

}  // namespace cc::cli
