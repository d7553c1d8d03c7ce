#include "deploy/topology.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "base/table.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/rendered_files.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/topology_file.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/rendering.h"
#include "deploy/secrets.h"
#include "deploy/templates.h"

namespace cc::cli {
namespace {

struct Options {
  std::string file = "topology.yaml", from = "full", folder;
};

// One line for each component: what it is, where, and at which ports.
struct Line {
  std::string component;
  std::vector<std::string> hosts;
  std::vector<deploy::Port> ports;
};

std::vector<Line> lines_of(const deploy::Topology& topology) {
  std::vector<Line> lines;
  if (const auto& balancer = topology.load_balancer)
    lines.push_back({"load_balancer", balancer->hosts, {balancer->port, balancer->stats_port}});
  const deploy::App& app = topology.app;
  lines.push_back({"app", app.hosts, {app.port, app.raft_port, app.metrics_port}});
  if (const auto& database = topology.database) lines.push_back({"database", hosts_of(*database), {database->port}});
  if (const auto& cache = topology.cache) {
    lines.push_back({"cache", hosts_of(*cache), {cache->port}});
    if (!cache->sentinels.empty()) lines.push_back({"sentinel", cache->sentinels, {cache->sentinel_port}});
  }
  if (const auto& prometheus = topology.prometheus)
    lines.push_back({"prometheus", {prometheus->host}, {prometheus->port}});
  if (const auto& alertmanager = topology.alertmanager)
    lines.push_back({"alertmanager", {alertmanager->host}, {alertmanager->port}});
  if (const auto& grafana = topology.grafana) lines.push_back({"grafana", {grafana->host}, {grafana->port}});
  return lines;
}

Result<> init(Session& session, const Options& options) {
  TRY(const std::string_view text, deploy::topology_template(options.from));
  if (options.file == "-") return write_output(std::string(text));
  std::error_code error;
  if (std::filesystem::exists(options.file, error)) {
    return fail(Code::already_exists,
                fmt::format("{} is there already: name another file with -t, or - to print", options.file));
  }
  TRYV(write_file(options.file, text));
  return session.print({{"file", options.file}, {"template", options.from}}, [&] {
    return fmt::format("wrote {0}; put your hosts into it, then run: config-center topology check -t {0}\n",
                       options.file);
  });
}

Result<> check(Session& session, const Options& options) {
  TRY(const deploy::Topology topology, read_topology_file(options.file));
  const std::vector<Line> lines = lines_of(topology);
  boost::json::array components;
  for (const Line& line : lines) {
    components.push_back({{"component", line.component},
                          {"hosts", boost::json::array(line.hosts.begin(), line.hosts.end())},
                          {"ports", boost::json::array(line.ports.begin(), line.ports.end())}});
  }
  boost::json::array notes;
  if (!topology.grafana && topology.prometheus) {
    notes.push_back(
        "there will be no Grafana: no Debian release has it; name a package or a repository under "
        "components.grafana to have it installed");
  }
  if (topology.grafana && topology.grafana->package.empty() && topology.grafana->repository.empty()) {
    notes.push_back("Grafana will not be installed: components.grafana names neither a package nor a repository");
  }
  return session.print(
      {{"name", topology.name}, {"hosts", topology.hosts.size()}, {"components", components}, {"warnings", notes}},
      [&] {
        Table table({"COMPONENT", "HOSTS", "PORTS"});
        for (const Line& line : lines) {
          table.add({line.component, fmt::format("{}", fmt::join(line.hosts, ", ")),
                     fmt::format("{}", fmt::join(line.ports, ", "))});
        }
        std::string text = fmt::format("{}: {} is in order, {}\n\n{}", options.file, topology.name,
                                       counted(topology.hosts.size(), "host"), table.to_text());
        for (const auto& note : notes)
          text += fmt::format("\nwarning: {}\n", note.as_string().c_str());
        return text;
      });
}

Result<> render(Session& session, const Options& options) {
  return write_rendered(session, options.folder, options.file, deploy::files_of);
}

CLI::App* add_with_file(CLI::App& group, const std::string& name, const std::string& what, Options& options) {
  CLI::App* command = add_command(group, name, what);
  add_topology_option(*command, options.file);
  return command;
}

}  // namespace

void add_topology(CLI::App& root, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* group =
      add_command(root, "topology", "Write and check the file that describes an installation")->require_subcommand(1);
  group->footer(examples({"config-center topology init --template three", "config-center topology check"}));

  CLI::App* command = add_with_file(*group, "init", "Write a topology to begin with", *options);
  command->add_option("--template", options->from, "Which one")
      ->check(one_of({"single", "three", "full"}))
      ->capture_default_str()
      ->type_name("NAME");
  command->footer(examples({"config-center topology init", "config-center topology init --template three",
                            "config-center topology init --template single -t -"}));
  on_run(*command, session, [&session, options] { return init(session, *options); });

  command = add_with_file(*group, "check", "Tell every mistake of a topology, or what it says runs where", *options);
  command->footer(examples({"config-center topology check", "config-center topology check -t prod.yaml -o json"}));
  on_run(*command, session, [&session, options] { return check(session, *options); });

  command = add_with_file(*group, "render", "Write the files that each host gets into a folder, to look at", *options);
  command->add_option("folder", options->folder, "Where")->required()->type_name("FOLDER");
  command->footer(
      examples({"config-center topology render ./rendered", "config-center topology render ./rendered -t prod.yaml"}));
  on_run(*command, session, [&session, options] { return render(session, *options); });
}

}  // namespace cc::cli
