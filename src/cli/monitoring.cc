#include "deploy/monitoring.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/rendered_files.h"
#include "cli/session.h"
#include "cli/topology_file.h"
#include "deploy/secrets.h"
#include "monitor/catalog.h"

namespace cc::cli {
namespace {

boost::json::array names_in(std::string_view list) {
  boost::json::array names;
  if (list.empty()) return names;
  for (const std::string_view name : split(list, ','))
    names.emplace_back(name);
  return names;
}

Result<> metrics(Session& session) {
  boost::json::array metrics, labels;
  for (const monitor::MetricInfo& metric : monitor::catalog()) {
    metrics.push_back({{"name", metric.name},
                       {"type", to_string(metric.type)},
                       {"unit", metric.unit},
                       {"labels", names_in(metric.labels)},
                       {"exported", to_string(metric.when)},
                       {"help", metric.help}});
  }
  for (const monitor::LabelInfo& label : monitor::labels())
    labels.push_back({{"name", label.name}, {"values", label.values}, {"most", label.most}});
  return session.print({{"metrics", std::move(metrics)}, {"labels", std::move(labels)}},
                       [] { return monitor::metrics_reference(); });
}

struct Rendering {
  std::string file = "topology.yaml", folder;
};

Result<> render(Session& session, const Rendering& options) {
  return write_rendered(session, options.folder, options.file, deploy::monitoring_files);
}

}  // namespace

void add_monitoring(CLI::App& root, Session& session) {
  CLI::App* group =
      add_command(root, "monitoring", "Metrics, and the files of Prometheus, Alertmanager and Grafana: what is in them")
          ->require_subcommand(1);
  group->footer(examples({"config-center monitoring metrics", "config-center monitoring check",
                          "config-center monitoring test-alert operators"}));

  CLI::App* command =
      add_command(*group, "metrics", "Print every metric that a node exports, and its labels, as Markdown");
  command->footer(examples({"config-center monitoring metrics", "config-center monitoring metrics -o json"}));
  on_run(*command, session, [&session] { return metrics(session); });

  auto options = std::make_shared<Rendering>();
  command = add_command(*group, "render",
                        "Write all that monitoring gets on each host into a folder: settings, targets, rules, "
                        "receivers, dashboards");
  add_topology_option(*command, options->file);
  command
      ->add_option("-o,--folder", options->folder,
                   "Where; here -o is not how to print, which stands before the command")
      ->required()
      ->type_name("DIR");
  command->footer(examples({"config-center monitoring render -o rendered",
                            "config-center -o json monitoring render -o rendered -t prod.yaml"}));
  on_run(*command, session, [&session, options] { return render(session, *options); });

  add_monitoring_check(*group, session);
  add_monitoring_routes(*group, session);
  add_monitoring_test_alert(*group, session);
}

}  // namespace cc::cli
