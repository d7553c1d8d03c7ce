#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"
#include "deploy/script.h"
#include "deploy/verify.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;

struct Options {
  std::string file = "topology.yaml";
  std::vector<std::string> components, hosts;
  std::uint64_t lines = 50;
};

// Those that were named; all when nothing was. Wrong usage when there are none such.
Result<std::vector<deploy::Service>> chosen(const Installation& installation, const Options& options) {
  const auto all = deploy::services_of(installation.topology, installation.secrets);
  TRYV(must_be_hosts(installation.topology, options.hosts));
  std::vector<deploy::Service> services;
  for (const deploy::Service& each : all) {
    if ((options.components.empty() || deploy::is_among(each.component, options.components)) &&
        (options.hosts.empty() || deploy::is_among(each.host, options.hosts)))
      services.push_back(each);
  }
  if (!services.empty()) return services;
  std::vector<std::string> there;
  for (const deploy::Service& each : all)
    if (!deploy::is_among(each.component, there)) there.push_back(each.component);
  return wrong_usage(fmt::format("nothing of the installation is that; components: {}", fmt::join(there, ", ")));
}

Result<> status(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const auto services, chosen(installation, options));
  std::vector<deploy::Probe> probes;
  probes.reserve(services.size());
  for (const deploy::Service& each : services) {
    probes.push_back(
        {.host = each.host,
         .name = each.unit,
         .script = fmt::format("state=$(systemctl is-active {0} || true)\n"
                               "[ \"$state\" = active ] || {{ echo \"$state\"; exit 1; }}\n"
                               "(set +e\n{1}\n) >/dev/null 2>&1 || {{ echo 'active, not ready'; exit 1; }}\n"
                               "echo \"since $(systemctl show -P ActiveEnterTimestamp {0})\"\n",
                               each.unit, each.ready)});
  }
  std::vector<deploy::Finding> findings;
  {
    const Waiting waiting(fmt::format("asking {}", counted(installation.topology.hosts.size(), "host")));
    findings = deploy::verify(installation.hosts(), probes);
  }
  boost::json::array items;
  Table table({"COMPONENT", "HOST", "SERVICE", "STATE", ""});
  std::size_t bad = 0;
  for (std::size_t i = 0; i < services.size(); ++i) {
    const bool good = findings[i].verdict == deploy::Verdict::pass;
    if (!good) ++bad;
    table.add(
        {services[i].component, services[i].host, services[i].unit, good ? "ready" : "not ready", findings[i].message});
    items.push_back({{"component", services[i].component},
                     {"host", services[i].host},
                     {"service", services[i].unit},
                     {"ready", good},
                     {"message", findings[i].message}});
  }
  TRYV(session.print({{"name", installation.topology.name}, {"services", items}}, [&] { return table.to_text(); }));
  if (bad == 0) return {};
  return fail(Code::unavailable, fmt::format("{} not ready", counted(bad, "service")));
}

enum class Change { start, stop, restart, reload };

Result<> change(Session& session, const Options& options, Change how) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const auto services, chosen(installation, options));
  TRY(const deploy::Record last, installation.records.last_good());
  const deploy::Run run{.number = installation.records.next_number()};
  const deploy::Wish wish{.topology = installation.topology,
                          .secrets = installation.secrets,
                          .release = deploy::release_on_hosts(last.release),
                          .run = run};
  std::string name = "restart";
  deploy::Stages stages;
  if (how == Change::start) {
    name = "start";
    stages = deploy::stages_to_start(wish, services);
  } else if (how == Change::stop) {
    name = "stop";
    TRYV(
        session.confirm(fmt::format("stop {} of {}", counted(services.size(), "service"), installation.topology.name)));
    stages = deploy::stages_to_stop(services);
  } else if (how == Change::reload) {
    name = "reload";
    stages = deploy::stages_to_reload(wish, services);
    if (stages.empty()) return wrong_usage("nothing of that reads its settings again without a restart: use restart");
  } else {
    stages = deploy::stages_to_restart(wish, services);
  }
  return carry_out(session, installation,
                   {.name = name, .release = last.release, .text = installation.text, .undo = false, .whole = false},
                   run, stages);
}

Result<> logs(const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const auto services, chosen(installation, options));
  for (const deploy::Service& each : services) {
    const auto connection = deploy::connect(installation.topology, installation.topology.host(each.host));
    TRY(const Finished finished,
        connection->run(
            deploy::as_root(fmt::format("journalctl -u {} -n {} --no-pager -o short-iso\n", each.unit, options.lines)),
            {installation.clock, installation.clock.now() + 1min}));
    if (!finished.good()) return fail(Code::unavailable, fmt::format("{}: {}", each.host, trim(finished.errors)));
    TRYV(write_output(for_output(fmt::format("== {} on {}\n{}", each.unit, each.host, finished.output))));
  }
  return {};
}

CLI::App* add(CLI::App& root, const std::string& name, const std::string& what, Options& options) {
  CLI::App* command = add_command(root, name, what);
  command->add_option("--component", options.components, "Only these; several with commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
  command->add_option("--host", options.hosts, "Only on these")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
  add_topology_option(*command, options.file);
  return command;
}

}  // namespace

void add_services(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add(root, "status", "Tell whether the services of an installation run and are ready", *options);
  command->footer(examples({"config-center status", "config-center status --component app,database -o json"}));
  on_run(*command, session, [&session, options] { return status(session, *options); });

  command = add(root, "start", "Start services of an installation, each once what it needs is ready", *options);
  command->footer(examples({"config-center start", "config-center start --host app1"}));
  on_run(*command, session, [&session, options] { return change(session, *options, Change::start); });

  command = add(root, "stop", "Stop services of an installation, the last one that was started first", *options);
  add_yes(*command, session);
  command->footer(examples({"config-center stop --yes", "config-center stop --component app --host app1"}));
  on_run(*command, session, [&session, options] { return change(session, *options, Change::stop); });

  command = add(root, "restart", "Restart services of an installation, one host after the other", *options);
  command->footer(examples({"config-center restart --component app", "config-center restart --host lb1"}));
  on_run(*command, session, [&session, options] { return change(session, *options, Change::restart); });

  command =
      add(root, "reload", "Have services read their settings and certificates again, without a restart", *options);
  command->footer(examples({"config-center reload --component app", "config-center reload --host lb1"}));
  on_run(*command, session, [&session, options] { return change(session, *options, Change::reload); });

  command = add(root, "logs", "Print the newest lines of the logs of an installation's services", *options);
  command->add_option("-n,--lines", options->lines, "How many of each")->check(positive())->capture_default_str();
  command->footer(examples({"config-center logs --component app", "config-center logs --host db1 -n 200"}));
  on_run(*command, session, [options] { return logs(*options); });
}

}  // namespace cc::cli
