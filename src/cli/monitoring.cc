#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/terminal.h"
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

}  // namespace

void add_monitoring(CLI::App& root, Session& session) {
  CLI::App* group = add_command(root, "monitoring", "What can be monitored, and how")->require_subcommand(1);
  group->footer(examples({"config-center monitoring metrics"}));

  CLI::App* metrics_command =
      add_command(*group, "metrics", "Print every metric that a node exports, and its labels, as Markdown");
  metrics_command->footer(examples({"config-center monitoring metrics", "config-center monitoring metrics -o json"}));
  on_run(*metrics_command, session, [&session] { return metrics(session); });
}

}  // namespace cc::cli
