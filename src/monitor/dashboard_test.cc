#include "monitor/dashboard.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::monitor {
namespace {

using testing::HasSubstr;
namespace json = boost::json;

constexpr std::string_view kWhole = R"(name: Nodes
description: Who leads.
jobs: config_center_info
refresh: 10s
panels:
  - title: Behind
    description: On the leader.
    type: graph
    query: rate(config_center_reads_total{$on, environment="prod"}[$__rate_interval]) / rate(up{$on}[1m])
    legend: "{{host}}"
    unit: reqps
    refresh: 1m
  - {title: Free, type: gauge, query: "up{$on}", max: 1, warning: 0.2, critical: 0.1}
  - {title: Full, type: gauge, query: "up{$on}", warning: 0.8, critical: 0.9}
  - title: Lag
    type: table
    queries: [{query: a, legend: one}, {query: b}]
  - {title: Delay, type: heatmap, query: c, unit: s, width: 24}
)";

json::value rendered(std::string_view yaml) {
  const auto dashboard = parse_dashboard(yaml);
  EXPECT_TRUE(dashboard) << dashboard.error().message;
  return dashboard ? json::parse(render_dashboard(*dashboard, "config-center-nodes")) : json::value();
}

json::value panel(int number) {
  return rendered(kWhole).at("panels").at(static_cast<std::size_t>(number));
}

TEST(Dashboard, has_what_grafana_needs) {
  const json::value dashboard = rendered(kWhole);
  EXPECT_EQ(dashboard.at("uid"), "config-center-nodes");
  EXPECT_EQ(dashboard.at("title"), "Nodes");
  EXPECT_EQ(dashboard.at("refresh"), "10s");
  EXPECT_EQ(dashboard.at("schemaVersion"), 39);
  EXPECT_EQ(dashboard.at("editable"), false);
  EXPECT_EQ(dashboard.at("tags"), json::array{"config-center"});
  const json::array& variables = dashboard.at("templating").at("list").as_array();
  ASSERT_EQ(variables.size(), 3u);
  EXPECT_EQ(variables[0].at("current").at("value"), "prometheus");
  EXPECT_EQ(variables[1].at("definition"), "label_values(config_center_info, job)");
  EXPECT_EQ(variables[2].at("definition"), "label_values(config_center_info{job=~\"$job\"}, instance)");
  EXPECT_EQ(variables[2].at("current").at("value"), json::array{"$__all"});
}

TEST(Dashboard, matchers_take_the_place_that_is_left_for_them) {
  EXPECT_EQ(panel(0).at("targets").at(0).at("expr"),
            R"(rate(config_center_reads_total{job=~"$job", instance=~"$instance", environment="prod"})"
            R"([$__rate_interval]) / rate(up{job=~"$job", instance=~"$instance"}[1m]))");
}

TEST(Dashboard, a_panel_of_each_type) {
  EXPECT_EQ(panel(0).at("type"), "timeseries");
  EXPECT_EQ(panel(0).at("interval"), "1m");
  EXPECT_EQ(panel(0).at("targets").at(0).at("legendFormat"), "{{host}}");
  EXPECT_EQ(panel(0).at("fieldConfig").at("defaults").at("unit"), "reqps");
  EXPECT_EQ(panel(1).at("type"), "gauge");
  EXPECT_EQ(panel(1).at("fieldConfig").at("defaults").at("max"), 1.0);
  EXPECT_EQ(panel(1).at("targets").at(0).at("instant"), true);
  EXPECT_EQ(panel(3).at("type"), "table");
  EXPECT_EQ(panel(3).at("targets").as_array().size(), 2u);
  EXPECT_EQ(panel(3).at("targets").at(1).at("refId"), "B");
  EXPECT_EQ(panel(3).at("transformations").at(1).at("options").at("renameByName").at("Value"), "Lag");
  EXPECT_EQ(panel(4).at("type"), "heatmap");
  EXPECT_EQ(panel(4).at("targets").at(0).at("format"), "heatmap");
  EXPECT_EQ(panel(4).at("options").at("yAxis").at("unit"), "s");
}

TEST(Dashboard, colors_follow_what_is_worse) {
  const auto colors = [](const json::value& of) {
    std::vector<std::pair<std::string, double>> all;
    for (const json::value& step : of.at("fieldConfig").at("defaults").at("thresholds").at("steps").as_array()) {
      const json::value& from = step.at("value");
      all.emplace_back(step.at("color").as_string(), from.is_null() ? -1 : from.as_double());
    }
    return all;
  };
  using Colors = std::vector<std::pair<std::string, double>>;
  EXPECT_EQ(colors(panel(1)), (Colors{{"red", -1}, {"yellow", 0.1}, {"green", 0.2}}));
  EXPECT_EQ(colors(panel(2)), (Colors{{"green", -1}, {"yellow", 0.8}, {"red", 0.9}}));
  EXPECT_EQ(colors(panel(0)), (Colors{{"green", -1}}));
}

TEST(Dashboard, panels_stand_side_by_side_until_there_is_no_room) {
  const auto place = [](int number) {
    const json::value grid = panel(number).at("gridPos");
    return std::vector{grid.at("x").as_int64(), grid.at("y").as_int64(), grid.at("w").as_int64()};
  };
  EXPECT_EQ(place(0), (std::vector<std::int64_t>{0, 0, 12}));
  EXPECT_EQ(place(1), (std::vector<std::int64_t>{12, 0, 6}));
  EXPECT_EQ(place(2), (std::vector<std::int64_t>{18, 0, 6}));
  EXPECT_EQ(place(3), (std::vector<std::int64_t>{0, 8, 12}));
  EXPECT_EQ(place(4), (std::vector<std::int64_t>{0, 16, 24}));
}

TEST(DashboardTemplate, says_what_is_wrong_and_where) {
  const auto complaint = [](std::string_view yaml) {
    const auto read = parse_dashboard(yaml);
    return read ? std::string() : read.error().message;
  };
  EXPECT_THAT(complaint("name: a\npanels:\n  - {titel: x}\n"), HasSubstr("line 3"));
  EXPECT_THAT(complaint("name: a\npanels:\n  - {titel: x}\n"), HasSubstr("did you mean \"title\"?"));
  EXPECT_THAT(complaint("panels: []\n"), HasSubstr("name is missing"));
  EXPECT_THAT(complaint("name: a\npanels: []\n"), HasSubstr("panels is missing"));
  EXPECT_THAT(complaint("name: a\npanels: [{title: x, type: pie, query: y}]\n"), HasSubstr("type \"pie\""));
  EXPECT_THAT(complaint("name: a\npanels: [{title: x, type: graph}]\n"), HasSubstr("query is missing"));
  EXPECT_THAT(complaint("name: a\npanels: [{title: x, type: graph, query: y, queries: [{query: z}]}]\n"),
              HasSubstr("stand in queries"));
  EXPECT_THAT(complaint("name: a\npanels: [{title: x, type: graph, queries: []}]\n"), HasSubstr("queries is a list"));
  EXPECT_THAT(complaint("name: a\npanels: [{title: x, type: graph, query: y, refresh: soon}]\n"),
              HasSubstr("refresh is a time"));
  EXPECT_THAT(complaint("name: a\nrefresh: soon\npanels: [{title: x, type: graph, query: y}]\n"),
              HasSubstr("refresh is a time"));
  EXPECT_THAT(complaint("name: a\npanels: [{title: x, type: graph, query: y, width: 30}]\n"), HasSubstr("1 to 24"));
  EXPECT_THAT(complaint("name: a\npanels: [{title: x, type: graph, query: y, max: much}]\n"), HasSubstr("a number"));
  EXPECT_THAT(complaint("name: [a]\npanels: [{title: x, type: graph, query: y}]\n"), HasSubstr("name is a text"));
  EXPECT_THAT(complaint("a: [\n"), HasSubstr("no YAML"));
  EXPECT_THAT(complaint("- a\n"), HasSubstr("keys with values"));
}

}  // namespace
}  // namespace cc::monitor
