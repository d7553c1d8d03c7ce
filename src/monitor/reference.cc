#include <fmt/format.h>

#include "base/text.h"
#include "monitor/catalog.h"

namespace cc::monitor {
namespace {

std::string code_list(std::string_view names) {
  if (names.empty()) return "";
  std::string text;
  for (const std::string_view name : split(names, ','))
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", name);
  return text;
}

}  // namespace

std::string metrics_reference() {
  std::string text =
      "## Metrics\n\n"
      "| metric | type | unit | labels | exported | meaning |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const MetricInfo& metric : catalog()) {
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", metric.name, to_string(metric.type), metric.unit,
                        code_list(metric.labels), to_string(metric.when), metric.help);
  }
  text +=
      "\n## Labels\n\n"
      "| label | values | at most, on one node |\n"
      "| --- | --- | --- |\n";
  for (const LabelInfo& label : labels()) {
    text += fmt::format("| `{}` | {} | {} |\n", label.name, label.values,
                        label.most == 0 ? "as many as there are" : std::to_string(label.most));
  }
  return text;
}

}  // namespace cc::monitor
