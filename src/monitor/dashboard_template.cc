#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "monitor/dashboard.h"
#include "monitor/yaml_reading.h"

namespace cc::monitor {
namespace {

constexpr std::array<std::pair<std::string_view, PanelType>, 4> kTypes{{{"graph", PanelType::graph},
                                                                        {"gauge", PanelType::gauge},
                                                                        {"table", PanelType::table},
                                                                        {"heatmap", PanelType::heatmap}}};

Result<std::vector<Query>> queries_of(const YAML::Node& panel) {
  if (!panel["queries"]) {
    Query one;
    TRYV(read_needed(panel, "query", one.text));
    TRYV(read(panel, "legend", one.legend));
    return std::vector{one};
  }
  if (panel["query"] || panel["legend"])
    return wrong_at(panel, "query and legend stand in queries, when there are such");
  if (!panel["queries"].IsSequence() || panel["queries"].size() == 0)
    return wrong_at(panel["queries"], "queries is a list");
  std::vector<Query> queries;
  for (const YAML::Node& each : panel["queries"]) {
    TRYV(check_keys(each, {"query", "legend"}));
    Query& query = queries.emplace_back();
    TRYV(read_needed(each, "query", query.text));
    TRYV(read(each, "legend", query.legend));
  }
  return queries;
}

Result<Panel> panel_of(const YAML::Node& node) {
  TRYV(check_keys(node, {"title", "description", "type", "query", "queries", "unit", "legend", "refresh", "max",
                         "warning", "critical", "width"}));
  Panel panel;
  std::string type;
  TRYV(read_needed(node, "title", panel.title));
  TRYV(read(node, "description", panel.description));
  TRYV(read_needed(node, "type", type));
  const auto known = std::ranges::find(kTypes, type, [](const auto& each) { return each.first; });
  if (known == kTypes.end()) {
    return wrong_at(node["type"],
                    fmt::format("there is no panel of type \"{}\": graph, gauge, table or heatmap", type));
  }
  panel.type = known->second;
  TRY(panel.queries, queries_of(node));
  TRYV(read(node, "unit", panel.unit));
  TRYV(read(node, "refresh", panel.refresh));
  if (!panel.refresh.empty() && !parse_duration(panel.refresh))
    return wrong_at(node["refresh"], "refresh is a time, such as 30s");
  TRYV(read(node, "max", panel.max));
  TRYV(read(node, "warning", panel.warning));
  TRYV(read(node, "critical", panel.critical));
  std::optional<double> width;
  TRYV(read(node, "width", width));
  if (width && (*width < 1 || *width > 24)) return wrong_at(node["width"], "width is a number from 1 to 24");
  panel.width = static_cast<int>(width.value_or(0));
  return panel;
}

Result<Dashboard> dashboard_of(const YAML::Node& root) {
  TRYV(check_keys(root, {"name", "description", "jobs", "refresh", "panels"}));
  Dashboard dashboard;
  TRYV(read_needed(root, "name", dashboard.name));
  TRYV(read(root, "description", dashboard.description));
  TRYV(read(root, "jobs", dashboard.jobs));
  TRYV(read(root, "refresh", dashboard.refresh));
  if (!parse_duration(dashboard.refresh)) return wrong_at(root["refresh"], "refresh is a time, such as 30s");
  if (!root["panels"] || !root["panels"].IsSequence() || root["panels"].size() == 0)
    return wrong_at(root, "panels is missing, or no list");
  for (const YAML::Node& each : root["panels"]) {
    TRY(Panel panel, panel_of(each));
    dashboard.panels.push_back(std::move(panel));
  }
  return dashboard;
}

}  // namespace

Result<Dashboard> parse_dashboard(std::string_view yaml) {
  try {
    auto dashboard = dashboard_of(YAML::Load(std::string(yaml)));
    if (!dashboard) return fail(std::move(dashboard).error().with_context("the dashboard"));
    return dashboard;
  } catch (const YAML::Exception& e) {
    return fail(Code::invalid_argument, fmt::format("the dashboard is no YAML: {}", e.what()));
  }
}

}  // namespace cc::monitor
