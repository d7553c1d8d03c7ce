#include <algorithm>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"
#include "deploy/removal.h"
#include "deploy/script.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;

struct Options {
  std::string file = "topology.yaml", name, output;
  std::vector<std::string> hosts, words;
  bool root = false, keep_data = false;
};

Result<std::vector<deploy::Host>> chosen(const deploy::Topology& topology, const std::vector<std::string>& names) {
  if (names.empty()) return topology.hosts;
  TRYV(must_be_hosts(topology, names));
  std::vector<deploy::Host> hosts(names.size());
  std::ranges::transform(names, hosts.begin(), [&](const std::string& name) { return topology.host(name); });
  return hosts;
}

Result<int> execute(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const auto hosts, chosen(installation.topology, options.hosts));
  std::string command;
  for (const std::string& word : options.words)
    command += (command.empty() ? "" : " ") + (options.words.size() == 1 ? word : deploy::shell_word(word));
  command += '\n';
  boost::json::array told;
  int status = 0;
  for (const deploy::Host& host : hosts) {
    const auto connection = deploy::connect(installation.topology, host);
    const auto finished = connection->run(options.root ? deploy::as_root(command) : command,
                                          {installation.clock, installation.clock.now() + 10min});
    if (!finished || !finished->good()) status = 1;
    const std::string output = finished ? finished->output : "",
                      errors = finished ? finished->errors : finished.error().message + "\n";
    told.push_back({{"host", host.name},
                    {"status", finished ? boost::json::value(finished->status) : boost::json::value()},
                    {"output", output},
                    {"errors", errors}});
    if (session.output != Output::table) continue;
    TRYV(write_output(for_output(
        fmt::format("== {}{}\n{}{}", host.name, finished && finished->good() ? "" : " (failed)", output, errors))));
  }
  if (session.output != Output::table) TRYV(session.print(told, [] { return std::string(); }));
  return status;
}

Result<> destroy(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  const std::string& name = installation.topology.name;
  std::string given = options.name;
  if (given.empty()) {
    auto answer = ask(fmt::format("This stops {} on {} and removes {}. Its name, to go on: ", name,
                                  counted(installation.topology.hosts.size(), "host"),
                                  options.keep_data ? "its files; data stay" : "its files and ALL ITS DATA"),
                      false);
    if (!answer) return wrong_usage(fmt::format("repeat the installation's name with --name {}", name));
    given = trim(*answer);
  }
  if (given != name)
    return wrong_usage(fmt::format("the installation is called {}, and not \"{}\": nothing was done", name, given));
  deploy::Stages stages = deploy::stages_to_stop(deploy::services_of(installation.topology, installation.secrets));
  stages.push_back(deploy::removal_stage(installation.topology, options.keep_data));
  TRYV(carry_out(session, installation,
                 {.name = "destroy", .release = "", .text = installation.text, .undo = false, .whole = false},
                 {.number = installation.records.next_number()}, stages));
  if (options.keep_data) return {};
  // The next nodes are founders again.
  std::error_code error;
  std::filesystem::remove(installation.numbers_file, error);
  if (error)
    return fail(Code::internal,
                fmt::format("{} cannot be removed: {}", installation.numbers_file.string(), error.message()));
  return {};
}

// What is told of a host to whoever has to find out what is the matter. Nothing secret is in it: of our files those
// alone that have no secrets.
std::string diagnosis(const Installation& installation, const deploy::Host& host) {
  std::string script =
      "set +e; exec 2>&1\n"
      "say() { echo; echo \"== $*\"; \"$@\"; }\n"
      "say date; say uname -a; say uptime; say free -m; say df -h; say ip -br addr; say ss -ltn\n"
      "say systemctl --failed --no-pager\n"
      "say dpkg-query -W postgresql-15 redis-server haproxy keepalived prometheus prometheus-alertmanager grafana\n"
      "say ls -l /opt/config-center /opt/config-center/releases\n";
  for (const deploy::RenderedFile& file : deploy::files_of(installation.topology, installation.secrets, host)) {
    if (!file.secret) script += fmt::format("say cat {}\n", deploy::shell_word(file.path));
  }
  for (const deploy::Service& service : deploy::services_of(installation.topology, installation.secrets)) {
    if (service.host != host.name) continue;
    script +=
        fmt::format("say systemctl status --no-pager -n 0 {0}\nsay journalctl -u {0} -n 2000 --no-pager -o short-iso\n",
                    service.unit);
    if (service.component == "app") {
      script += std::string(deploy::kHttpGet) +
                fmt::format("say http_get 127.0.0.1 {} /metrics\nsay http_get 127.0.0.1 {} /healthz\n",
                            installation.topology.app.metrics_port, installation.topology.app.port);
    }
  }
  return script + "exit 0\n";
}

Result<> diagnose(Session& session, const Options& options) {
  TRY(const Installation installation, open_installation(options.file));
  TRY(const auto hosts, chosen(installation.topology, options.hosts));
  std::string stamp = format_time(installation.clock.wall()).substr(0, 19);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  const std::string name = fmt::format("diagnosis-{}-{}", installation.topology.name, stamp);
  const Path target = options.output.empty() ? Path(name + ".tar.gz") : Path(options.output);
  std::error_code error;
  const Path work = std::filesystem::temp_directory_path(error) / name;
  TRYV(make_directories(work, 0700));
  const auto with_records = [&]() -> Result<> {
    TRY(const auto records, installation.records.all());
    std::string told;
    for (const deploy::Record& each : records)
      told += fmt::format("{} {} {} {} by {}: {}\n", each.number, format_time(each.began), each.operation, each.release,
                          each.who, each.result);
    TRYV(write_file(work / "deployments.txt", told, 0600));
    TRYV(write_file(work / "topology.yaml", installation.text, 0600));
    Progress progress("asking", hosts.size());
    for (const deploy::Host& host : hosts) {
      const auto found = deploy::connect(installation.topology, host)
                             ->run(deploy::as_root(diagnosis(installation, host)),
                                   {installation.clock, installation.clock.now() + 2min});
      TRYV(write_file(work / (host.name + ".txt"), found ? found->output + found->errors : found.error().message + "\n",
                      0600));
      progress.advance();
    }
    TRY(const Finished packed, run_process({"tar", "-czf", target.string(), "-C", work.parent_path().string(), name},
                                           "", {installation.clock, installation.clock.now() + 2min}));
    if (!packed.good())
      return fail(Code::internal, fmt::format("{} cannot be written: {}", target.string(), trim(packed.errors)));
    return {};
  };
  const auto done = with_records();
  std::filesystem::remove_all(work, error);
  if (!done) return done;
  return session.print({{"file", target.string()}, {"hosts", hosts.size()}}, [&] {
    return fmt::format("wrote {}: logs, settings without secrets, versions and metrics of {}\n", target.string(),
                       counted(hosts.size(), "host"));
  });
}

void add_hosts_option(CLI::App& command, Options& options) {
  command.add_option("--host", options.hosts, "Only on these; several with commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
  add_topology_option(command, options.file);
}

}  // namespace

void add_hosts(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(root, "exec", "Run a command on the hosts of an installation");
  command->add_option("command", options->words, "The command, after --")->required()->type_name("COMMAND");
  command->add_flag("--root", options->root, "As root");
  add_hosts_option(*command, *options);
  command->footer(
      examples({"config-center exec -- uptime", "config-center exec --host db1 --root -- 'journalctl -n 5'"}));
  on_run(*command, session, std::function<Result<int>()>([&session, options] { return execute(session, *options); }));

  command =
      add_command(root, "diagnose", "Collect logs, settings without secrets, versions and metrics in one archive");
  command->add_option("--output-file", options->output, "Where; diagnosis-NAME-TIME.tar.gz without it")
      ->type_name("FILE");
  add_hosts_option(*command, *options);
  command->footer(examples({"config-center diagnose", "config-center diagnose --host app1 --output-file app1.tar.gz"}));
  on_run(*command, session, [&session, options] { return diagnose(session, *options); });

  command = add_command(root, "destroy", "Stop an installation and remove it from its hosts; packages stay");
  command->add_option("--name", options->name, "The installation's name, instead of being asked for it")
      ->type_name("NAME");
  command->add_flag("--keep-data", options->keep_data, "Leave the data of the nodes, PostgreSQL, Redis and Prometheus");
  add_topology_option(*command, options->file);
  command->footer(examples({"config-center destroy", "config-center destroy --name config-center --keep-data"}));
  on_run(*command, session, [&session, options] { return destroy(session, *options); });
}

}  // namespace cc::cli
