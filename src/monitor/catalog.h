// Every metric that the product exports, declared once: the exporter, the documentation and the tests take it from
// here, and what rules and dashboards name is held against it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cc::monitor {

enum class MetricType { counter, gauge, histogram };
std::string_view to_string(MetricType type) noexcept;

// When a node's page has it.
enum class Exported {
  always,
  counted,       // for each label, once there was one of it
  environments,  // once there is one
  leader,
  leader_of_several,
  archive,      // the settings name a database
  edge,         // the settings name a cache
  tls,          // the settings name certificates
  backup,       // the settings schedule backups
  maintenance,  // the settings do not say that there is none
  hosts,        // on a host, by its exporter, after `maintenance run`
  address,      // on a load balancer, by the exporter of its host
};
std::string_view to_string(Exported when) noexcept;  // in words

struct MetricInfo {
  std::string_view name;  // Prometheus conventions: base unit and _total in the name
  MetricType type;
  std::string_view unit;    // of the value; "bool": 1 or 0
  std::string_view labels;  // comma-separated label names, or ""
  Exported when;
  std::string_view help;
};

std::span<const MetricInfo> catalog();
const MetricInfo* find_metric(std::string_view name);

// What stands in a label comes from a set that requests cannot make larger.
struct LabelInfo {
  std::string_view name;
  std::string_view values;  // where they come from, in words
  std::size_t most;         // different values on one node; 0: as many as administrators make
};
std::span<const LabelInfo> labels();

// The catalog as Markdown: the end of docs/METRICS.md.
std::string metrics_reference();

}  // namespace cc::monitor
