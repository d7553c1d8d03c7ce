// Every metric that the product exports, declared once: the exporter, the documentation and the tests take it from
// here.
#pragma once

#include <span>
#include <string_view>

namespace cc::monitor {

enum class MetricType { counter, gauge, histogram };

struct MetricInfo {
  std::string_view name;  // Prometheus conventions: base unit and _total in the name
  MetricType type;
  std::string_view labels;  // comma-separated label names, or ""
  std::string_view help;
};

std::span<const MetricInfo> catalog();
const MetricInfo* find_metric(std::string_view name);

}  // namespace cc::monitor
