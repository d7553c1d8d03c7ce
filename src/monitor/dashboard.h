// Dashboards of Grafana from compact templates: what a panel shows is said once, in YAML, and the rest is worked out.
//
//   name: Nodes
//   description: Who leads, and how far the others are.
//   jobs: config_center_info            # whose job and instance are offered to choose from; up when it is not given
//   refresh: 30s                        # how often the dashboard asks again
//   panels:
//     - title: Entries behind
//       description: Of each node, on the leader.
//       type: graph                     # or gauge, table, heatmap
//       query: config_center_raft_peer_lag{$on}
//       unit: short                     # one of Grafana's
//       legend: "node {{peer}}"
//       refresh: 1m                     # a point at most so often
//       max: 1                          # of a gauge; and from where on it is yellow, and red
//       warning: 0.8
//       critical: 0.9
//       width: 12                       # of 24
//     - title: ...
//       queries: [{query: ..., legend: ...}, ...]     # several in one panel
//
// In a query `$on` stands for the matchers of the chosen job and instance, and $__rate_interval for a range that fits
// the time shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc::monitor {

enum class PanelType { graph, gauge, table, heatmap };

struct Query {
  std::string text, legend;
};

struct Panel {
  std::string title, description;
  PanelType type = PanelType::graph;
  std::vector<Query> queries;
  std::string unit = "short";
  std::string refresh;  // "": as often as the width of the panel allows
  std::optional<double> max, warning, critical;
  int width = 0;  // 0: as usual for its type
};

struct Dashboard {
  std::string name, description;
  std::string jobs = "up";
  std::string refresh = "30s";
  std::vector<Panel> panels;
};

// invalid_argument, with the line, when a key is unknown, missing or of no use.
Result<Dashboard> parse_dashboard(std::string_view yaml);

// The dashboard as Grafana's JSON. `uid` stays the same for ever: links are made of it; at most 40 characters.
std::string render_dashboard(const Dashboard& dashboard, std::string_view uid);

}  // namespace cc::monitor
