// Alert rules of a node's own, for installations without Prometheus: conditions on its own metrics, in YAML.
//
//   interval: 15s                     # how often they are looked at
//   repeat_interval: 4h               # how often what goes on is told again
//   webhooks: [http://10.0.0.9:8080/alerts]
//   rules:
//     - name: NoLeader
//       expr: config_center_raft_has_leader == 0
//       duration: 30s                 # for how long that must be so; at once when it is not given
//       labels: {severity: critical}
//       annotations: {summary: "Node {{ $labels.instance }} knows no leader"}
//
// An expression is METRIC COMPARISON NUMBER, or METRIC{label="value", other!="value"} COMPARISON NUMBER, with == != <
// <= > >=: each series of which that is true is an alert. In annotations {{ $labels.NAME }} and {{ $value }} are
// replaced.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc::monitor {

using LabelMap = std::map<std::string, std::string>;

// One series of a metrics page.
struct Series {
  std::string name;
  LabelMap labels;
  double value = 0;
};
std::vector<Series> parse_page(std::string_view page);

struct Condition {
  struct Matcher {
    std::string label, value;
    bool equal = true;
  };
  enum class Comparison { equal, not_equal, less, at_most, greater, at_least };
  std::string metric;
  std::vector<Matcher> matchers;
  Comparison comparison = Comparison::equal;
  double number = 0;

  bool holds(const Series& series) const;
};
// invalid_argument, also when no node exports the metric, or not with these labels.
Result<Condition> parse_condition(std::string_view text);

struct AlertRule {
  std::string name;
  Condition condition;
  std::chrono::milliseconds duration{0};
  LabelMap labels, annotations;
};

struct AlertRules {
  std::chrono::milliseconds interval{15'000}, repeat_interval{std::chrono::hours(4)};
  std::vector<std::string> webhooks;
  std::vector<AlertRule> rules;
};
// invalid_argument with the line.
Result<AlertRules> parse_alert_rules(std::string_view yaml);

}  // namespace cc::monitor
