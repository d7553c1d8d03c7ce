#include <algorithm>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/topology_file.h"
#include "deploy/monitoring.h"
#include "deploy/monitoring_check.h"
#include "deploy/notifications.h"

namespace cc::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;  // with amtool

struct Routing {
  std::string file = "topology.yaml", settings;
  std::vector<std::string> labels;
};

Result<std::string> settings_of(const deploy::Topology& topology, const std::string& file) {
  if (!topology.alertmanager) return wrong_usage(file + " has no Alertmanager");
  return deploy::alertmanager_files(topology, topology.host(topology.alertmanager->host)).front().content;
}

Result<> routes(Session& session, Routing options) {
  std::string settings;
  if (options.settings.empty()) {
    TRY(const deploy::Topology topology, read_topology_file(options.file));
    TRY(settings, settings_of(topology, options.file));
    // As Prometheus adds it to every alert.
    const auto is_installation = [](const std::string& label) { return label.starts_with("installation="); };
    if (std::ranges::none_of(options.labels, is_installation))
      options.labels.push_back("installation=" + topology.name);
  } else {
    TRY(settings, read_file(options.settings));
  }
  TRY(const TempDirectory work, TempDirectory::make());
  const Path path = work.path() / "alertmanager.yml";
  TRYV(write_file(path, settings));
  const SystemClock clock;
  TRY(const std::vector<std::string> receivers,
      deploy::receivers_of(path, options.labels, {clock, clock.now() + kPatience}));
  boost::json::array told;
  Table table({"RECEIVER", "TOLD BY"});
  for (const std::string& receiver : receivers) {
    TRY(const auto ways, deploy::ways_to_tell(settings, receiver));
    boost::json::array by;
    std::string text;
    for (const auto& [way, count] : ways) {
      by.emplace_back(way);
      text += (text.empty() ? "" : ", ") + way;
    }
    told.push_back({{"receiver", receiver}, {"by", std::move(by)}});
    table.add({receiver, text.empty() ? "nothing: alerts are on Alertmanager's page alone" : text});
  }
  return session.print(
      {{"labels", boost::json::array(options.labels.begin(), options.labels.end())}, {"receivers", std::move(told)}},
      [&] { return table.to_text(); });
}

}  // namespace

void add_monitoring_routes(CLI::App& group, Session& session) {
  auto options = std::make_shared<Routing>();
  CLI::App* command = add_command(group, "routes", "Who would be told of an alert with these labels");
  command->add_option("labels", options->labels, "NAME=VALUE; the label of the installation is added")
      ->type_name("LABEL");
  add_topology_option(*command, options->file);
  command->add_option("--settings", options->settings, "An alertmanager.yml, instead of the topology's")
      ->type_name("FILE");
  command->footer(
      examples({"config-center monitoring routes severity=critical job=postgres",
                "config-center monitoring routes alertname=ConfigCenterNodeDown host=app1 -t prod.yaml",
                "config-center monitoring routes severity=warning --settings /etc/prometheus/alertmanager.yml"}));
  on_run(*command, session, [&session, options] { return routes(session, *options); });
}

}  // namespace cc::cli
