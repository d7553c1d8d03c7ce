#include "monitor/dashboard.h"

#include <boost/json.hpp>

namespace cc::monitor {
namespace {

namespace json = boost::json;

// What is known to be taken by Grafana 8 and everything since, which bring an older dashboard up to date themselves.
constexpr int kSchemaVersion = 39;
constexpr int kColumns = 24, kHeight = 8;

const json::object& data_source() {
  static const json::object source{{"type", "prometheus"}, {"uid", "${datasource}"}};
  return source;
}

std::string_view type_of(PanelType type) {
  switch (type) {
    case PanelType::graph:
      return "timeseries";
    case PanelType::gauge:
      return "gauge";
    case PanelType::table:
      return "table";
    case PanelType::heatmap:
      return "heatmap";
  }
  return "timeseries";
}

int width_of(const Panel& panel) {
  if (panel.width != 0) return panel.width;
  return panel.type == PanelType::gauge ? kColumns / 4 : kColumns / 2;
}

std::string with_matchers(std::string query) {
  constexpr std::string_view kPlace = "$on", kMatchers = R"(job=~"$job", instance=~"$instance")";
  for (std::size_t at = query.find(kPlace); at != std::string::npos; at = query.find(kPlace, at + kMatchers.size()))
    query.replace(at, kPlace.size(), kMatchers);
  return query;
}

json::array targets_of(const Panel& panel) {
  json::array targets;
  for (const Query& query : panel.queries) {
    json::object target{{"refId", std::string(1, static_cast<char>('A' + targets.size()))},
                        {"datasource", data_source()},
                        {"expr", with_matchers(query.text)},
                        {"editorMode", "code"}};
    target["legendFormat"] = query.legend.empty() ? "__auto" : query.legend;
    switch (panel.type) {
      case PanelType::graph:
        target["range"] = true;
        break;
      case PanelType::heatmap:
        target["range"] = true;
        target["format"] = "heatmap";
        target["legendFormat"] = "{{le}}";
        break;
      case PanelType::gauge:
        target["instant"] = true;
        break;
      case PanelType::table:
        target["instant"] = true;
        target["format"] = "table";
        break;
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

json::object thresholds_of(const Panel& panel) {
  json::array steps;
  const auto from = [&](std::optional<double> value, std::string_view color) {
    steps.push_back(json::object{{"color", color}, {"value", value ? json::value(*value) : json::value(nullptr)}});
  };
  // Where less is worse, as of what is left, the colors begin at the other end.
  const bool falls = panel.warning && panel.critical && *panel.critical < *panel.warning;
  from(std::nullopt, falls ? "red" : "green");
  if (falls) {
    from(panel.critical, "yellow");
    from(panel.warning, "green");
  } else {
    if (panel.warning) from(panel.warning, "yellow");
    if (panel.critical) from(panel.critical, "red");
  }
  return {{"mode", "absolute"}, {"steps", std::move(steps)}};
}

json::object fields_of(const Panel& panel) {
  json::object defaults{{"unit", panel.unit}, {"thresholds", thresholds_of(panel)}};
  switch (panel.type) {
    case PanelType::graph:
      defaults["min"] = 0;
      defaults["color"] = {{"mode", "palette-classic"}};
      defaults["custom"] = {
          {"drawStyle", "line"}, {"lineWidth", 1}, {"fillOpacity", 10}, {"spanNulls", false}, {"showPoints", "never"}};
      break;
    case PanelType::gauge:
      defaults["min"] = 0;
      if (panel.max) defaults["max"] = *panel.max;
      defaults["color"] = {{"mode", "thresholds"}};
      break;
    case PanelType::table:
    case PanelType::heatmap:
      break;
  }
  return {{"defaults", std::move(defaults)}, {"overrides", json::array()}};
}

json::object options_of(const Panel& panel) {
  switch (panel.type) {
    case PanelType::graph:
      return {{"legend",
               {{"displayMode", "list"}, {"placement", "bottom"}, {"showLegend", true}, {"calcs", json::array()}}},
              {"tooltip", {{"mode", "multi"}, {"sort", "desc"}}}};
    case PanelType::gauge:
      return {{"reduceOptions", {{"calcs", json::array{"lastNotNull"}}, {"fields", ""}, {"values", false}}},
              {"showThresholdLabels", false},
              {"showThresholdMarkers", true}};
    case PanelType::table:
      return {{"showHeader", true}, {"cellHeight", "sm"}};
    case PanelType::heatmap:
      return {{"calculate", false},
              {"yAxis", {{"unit", panel.unit}}},
              {"color", {{"mode", "scheme"}, {"scheme", "Oranges"}, {"steps", 128}}},
              {"cellGap", 1},
              {"filterValues", {{"le", 1e-9}}},
              {"tooltip", {{"mode", "single"}, {"yHistogram", false}}}};
  }
  return {};
}

json::object panel_json(const Panel& panel, int id, int x, int y) {
  json::object out{{"id", id},
                   {"type", type_of(panel.type)},
                   {"title", panel.title},
                   {"description", panel.description},
                   {"datasource", data_source()},
                   {"gridPos", {{"h", kHeight}, {"w", width_of(panel)}, {"x", x}, {"y", y}}},
                   {"targets", targets_of(panel)},
                   {"fieldConfig", fields_of(panel)},
                   {"options", options_of(panel)}};
  if (!panel.refresh.empty()) out["interval"] = panel.refresh;
  if (panel.type == PanelType::table) {
    // One row for each series, without what is the same in all.
    const json::object without{{"Time", true}, {"__name__", true}, {"job", true}};
    const json::object columns{{"excludeByName", without},
                               {"indexByName", json::object()},
                               {"renameByName", json::object{{"Value", panel.title}}}};
    out["transformations"] = json::array{json::object{{"id", "merge"}, {"options", json::object()}},
                                         json::object{{"id", "organize"}, {"options", columns}}};
  }
  return out;
}

// From left to right; what has no room any more begins a new row.
json::array panels_json(const std::vector<Panel>& panels) {
  json::array out;
  int x = 0, y = 0, id = 0;
  for (const Panel& panel : panels) {
    if (x + width_of(panel) > kColumns) {
      x = 0;
      y += kHeight;
    }
    out.push_back(panel_json(panel, ++id, x, y));
    x += width_of(panel);
  }
  return out;
}

json::object choice(std::string_view name, std::string_view label, const std::string& query) {
  return {
      {"type", "query"},
      {"name", name},
      {"label", label},
      {"datasource", data_source()},
      {"query", {{"query", query}, {"refId", name}}},
      {"definition", query},
      {"refresh", 2},  // also when the time shown changes
      {"sort", 1},
      {"multi", true},
      {"includeAll", true},
      {"allValue", ".+"},
      {"current", json::object{{"selected", true}, {"text", json::array{"All"}}, {"value", json::array{"$__all"}}}}};
}

json::array variables_json(const Dashboard& dashboard) {
  const json::object source{
      {"type", "datasource"},   {"name", "datasource"},
      {"label", "Data source"}, {"query", "prometheus"},
      {"refresh", 1},           {"current", {{"selected", true}, {"text", "Prometheus"}, {"value", "prometheus"}}}};
  return {source, choice("job", "Job", "label_values(" + dashboard.jobs + ", job)"),
          choice("instance", "Instance", "label_values(" + dashboard.jobs + R"({job=~"$job"}, instance))")};
}

}  // namespace

std::string render_dashboard(const Dashboard& dashboard, std::string_view uid) {
  const json::object out{{"uid", uid},
                         {"title", dashboard.name},
                         {"description", dashboard.description},
                         {"tags", json::array{"config-center"}},
                         {"schemaVersion", kSchemaVersion},
                         {"version", 1},
                         {"editable", false},
                         {"graphTooltip", 1},  // the time that is pointed at is shown in all panels
                         {"timezone", "browser"},
                         {"refresh", dashboard.refresh},
                         {"time", {{"from", "now-1h"}, {"to", "now"}}},
                         {"templating", {{"list", variables_json(dashboard)}}},
                         {"annotations", {{"list", json::array()}}},
                         {"panels", panels_json(dashboard.panels)}};
  return json::serialize(out) + "\n";
}

}  // namespace cc::monitor
