#include <algorithm>
#include <iterator>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"
#include "deploy/connection.h"
#include "deploy/environment.h"
#include "deploy/in_parallel.h"
#include "deploy/network.h"
#include "deploy/script.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 2min;  // with one host
constexpr std::size_t kAtOnce = 16;

struct Options {
  std::string file = "topology.yaml";
  bool all = false, fix = false;
};

Result<deploy::Facts> facts_of(const deploy::Topology& topology, const deploy::Host& host, bool fix) {
  const SystemClock clock;
  const auto connection = deploy::connect(topology, host);
  const auto ask = [&] {
    return deploy::ask_facts(*connection, topology, host, clock, {clock, clock.now() + kPatience});
  };
  auto facts = ask();
  if (fix && facts) {
    if (const std::string repair = deploy::repair_script(topology, host, *facts); !repair.empty()) {
      const auto done = connection->run(deploy::as_root(repair), {clock, clock.now() + kPatience});
      if (done && done->good()) facts = ask();
    }
  }
  return facts;
}

std::vector<Result<deploy::Facts>> ask_all(const deploy::Topology& topology, bool fix) {
  std::vector<Result<deploy::Facts>> facts(topology.hosts.size());
  const Waiting waiting(fmt::format("asking {}", counted(topology.hosts.size(), "host")));
  deploy::in_parallel(topology.hosts, kAtOnce, [&](const deploy::Host& host) {
    facts[static_cast<std::size_t>(&host - topology.hosts.data())] = facts_of(topology, host, fix);
  });
  return facts;
}

Result<> check(Session& session, const Options& options) {
  TRY(const deploy::Topology topology, read_topology_file(options.file));
  const std::vector<deploy::Finding> findings = check_all(topology, options.fix);
  return print_findings(session, findings, options.all);
}

}  // namespace

std::vector<deploy::Finding> check_all(const deploy::Topology& topology, bool fix) {
  const std::vector<Result<deploy::Facts>> facts = ask_all(topology, fix);
  std::map<std::string, deploy::Facts> found;
  for (std::size_t i = 0; i < facts.size(); ++i)
    if (facts[i]) found.emplace(topology.hosts[i].name, *facts[i]);
  deploy::Network network;
  if (topology.hosts.size() > 1) {
    const Waiting waiting("measuring the network between them");
    const SystemClock clock;
    network =
        deploy::measure_network({.topology = topology,
                                 .connect = [&](const deploy::Host& host) { return deploy::connect(topology, host); },
                                 .clock = clock},
                                found);
  }
  std::vector<deploy::Finding> all;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const deploy::Host& host = topology.hosts[i];
    if (!facts[i]) {
      all.push_back({.host = host.name,
                     .check = "connection",
                     .verdict = deploy::Verdict::fail,
                     .message = facts[i].error().message});
      continue;
    }
    std::ranges::move(deploy::check_host(topology, host, *facts[i]), std::back_inserter(all));
    std::ranges::move(deploy::check_network(topology, host, network), std::back_inserter(all));
  }
  return all;
}

void add_check_environment(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(root, "check", "Look at the hosts of a topology: what they have, against what it requires");
  add_topology_option(*command, options->file);
  command->add_flag("--all", options->all, "Show what passed, too");
  command->add_flag("--fix", options->fix, "Put right what is safe (kernel settings, the clock), and check again");
  command->footer(examples({"config-center check", "config-center check -t prod.yaml --all",
                            "config-center check --fix", "config-center check -t prod.yaml -o json"}));
  on_run(*command, session, [&session, options] { return check(session, *options); });
}

}  // namespace cc::cli
