#include "monitor/alert_rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "monitor/catalog.h"
#include "monitor/yaml_reading.h"

namespace cc::monitor {
namespace {

using Comparison = Condition::Comparison;

// The longer ones first: "<=" begins with "<".
constexpr std::array<std::pair<std::string_view, Comparison>, 6> kComparisons{{{"==", Comparison::equal},
                                                                               {"!=", Comparison::not_equal},
                                                                               {"<=", Comparison::at_most},
                                                                               {">=", Comparison::at_least},
                                                                               {"<", Comparison::less},
                                                                               {">", Comparison::greater}}};

// Reads from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(trim(text)) {}

  bool at_end() const { return rest_.empty(); }
  bool take(std::string_view sign) {
    if (!rest_.starts_with(sign)) return false;
    rest_ = trim(rest_.substr(sign.size()));
    return true;
  }
  // Of letters, digits, '_' and ':'; "" when there is none.
  std::string name() {
    const auto end = std::ranges::find_if_not(rest_, [](char c) {
      return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
    });
    return taken(static_cast<std::size_t>(end - rest_.begin()));
  }
  // In double quotes, with \\, \" and \n.
  std::optional<std::string> quoted() {
    if (!rest_.starts_with('"')) return {};
    std::string text;
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      char c = rest_[at];
      if (c == '"') {
        rest_ = trim(rest_.substr(at + 1));
        return text;
      }
      if (c == '\\' && at + 1 < rest_.size()) {
        c = rest_[++at];
        if (c == 'n') c = '\n';
      }
      text += c;
    }
    return {};
  }
  // All that is left.
  std::optional<double> number() {
    const std::string text(rest_);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0') return {};
    return value;
  }

 private:
  std::string taken(std::size_t size) {
    std::string text(rest_.substr(0, size));
    rest_ = trim(rest_.substr(size));
    return text;
  }
  std::string_view rest_;
};

std::optional<Series> parse_line(std::string_view line) {
  Scanner scanner(line);
  Series series{.name = scanner.name()};
  if (scanner.take("{")) {
    while (!scanner.take("}")) {
      const std::string label = scanner.name();
      if (label.empty() || !scanner.take("=")) return {};
      auto value = scanner.quoted();
      if (!value) return {};
      series.labels[label] = *std::move(value);
      scanner.take(",");
    }
  }
  const auto value = scanner.number();
  if (series.name.empty() || !value) return {};
  series.value = *value;
  return series;
}

// What the parts of a histogram are called after.
const MetricInfo* metric_of(std::string_view series) {
  if (const MetricInfo* metric = find_metric(series)) return metric;
  for (const std::string_view part : {"_bucket", "_sum", "_count"}) {
    if (!series.ends_with(part)) continue;
    const MetricInfo* metric = find_metric(series.substr(0, series.size() - part.size()));
    if (metric != nullptr && metric->type == MetricType::histogram) return metric;
  }
  return nullptr;
}

Result<> check(const Condition& condition) {
  const MetricInfo* metric = metric_of(condition.metric);
  if (metric == nullptr) {
    std::vector<std::string_view> names;
    for (const MetricInfo& each : catalog())
      names.push_back(each.name);
    const std::string_view near = nearest(condition.metric, names);
    return fail(Code::invalid_argument,
                fmt::format("no node has a metric \"{}\"{}; all of them: config-center monitoring metrics",
                            condition.metric, near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
  const auto labels = split(metric->labels, ',');
  for (const Condition::Matcher& each : condition.matchers) {
    if (std::ranges::find(labels, each.label) == labels.end() &&
        !(each.label == "le" && condition.metric.ends_with("_bucket"))) {
      return fail(Code::invalid_argument, fmt::format("{} has no label \"{}\"; it has: {}", condition.metric,
                                                      each.label, metric->labels.empty() ? "none" : metric->labels));
    }
  }
  return {};
}

Result<AlertRule> rule_of(const YAML::Node& node) {
  TRYV(check_keys(node, {"name", "expr", "duration", "labels", "annotations"}));
  AlertRule rule;
  std::string expression;
  TRYV(read_needed(node, "name", rule.name));
  TRYV(read_needed(node, "expr", expression));
  auto condition = parse_condition(expression);
  if (!condition) return wrong_at(node["expr"], condition.error().message);
  rule.condition = *std::move(condition);
  TRYV(read(node, "duration", rule.duration));
  TRYV(read(node, "labels", rule.labels));
  TRYV(read(node, "annotations", rule.annotations));
  return rule;
}

Result<AlertRules> rules_of(const YAML::Node& root) {
  TRYV(check_keys(root, {"interval", "repeat_interval", "webhooks", "rules"}));
  AlertRules all;
  TRYV(read(root, "interval", all.interval));
  TRYV(read(root, "repeat_interval", all.repeat_interval));
  if (all.interval < std::chrono::seconds(1)) return wrong_at(root["interval"], "interval is a second at least");
  const YAML::Node webhooks = root["webhooks"], rules = root["rules"];
  if (!webhooks || !webhooks.IsSequence() || webhooks.size() == 0)
    return wrong_at(root, "webhooks is a list of addresses: who is to be told?");
  for (const YAML::Node& each : webhooks) {
    if (!each.IsScalar() || !(each.Scalar().starts_with("http://") || each.Scalar().starts_with("https://")))
      return wrong_at(each, "a webhook is an address that begins with http:// or https://");
    all.webhooks.push_back(each.Scalar());
  }
  if (!rules || !rules.IsSequence()) return wrong_at(root, "rules is missing, or no list");
  for (const YAML::Node& each : rules) {
    TRY(AlertRule rule, rule_of(each));
    if (std::ranges::find(all.rules, rule.name, &AlertRule::name) != all.rules.end())
      return wrong_at(each, fmt::format("there are two rules \"{}\"", rule.name));
    all.rules.push_back(std::move(rule));
  }
  return all;
}

}  // namespace

std::vector<Series> parse_page(std::string_view page) {
  std::vector<Series> all;
  for (const std::string_view line : split(page, '\n')) {
    if (line.starts_with('#')) continue;
    if (auto series = parse_line(line)) all.push_back(*std::move(series));
  }
  return all;
}

bool Condition::holds(const Series& series) const {
  if (series.name != metric) return false;
  for (const Matcher& each : matchers) {
    const auto found = series.labels.find(each.label);
    const bool same = found != series.labels.end() && found->second == each.value;
    if (same != each.equal) return false;
  }
  switch (comparison) {
    case Comparison::equal:
      return series.value == number;
    case Comparison::not_equal:
      return series.value != number;
    case Comparison::less:
      return series.value < number;
    case Comparison::at_most:
      return series.value <= number;
    case Comparison::greater:
      return series.value > number;
    case Comparison::at_least:
      return series.value >= number;
  }
  return false;
}

Result<Condition> parse_condition(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\": {}, as in config_center_raft_has_leader == 0", text, what));
  };
  Scanner scanner(text);
  Condition condition{.metric = scanner.name()};
  if (condition.metric.empty()) return wrong("it begins with the name of a metric");
  if (scanner.take("{")) {
    while (!scanner.take("}")) {
      Condition::Matcher matcher{.label = scanner.name()};
      matcher.equal = !scanner.take("!=");
      if (matcher.label.empty() || (matcher.equal && !scanner.take("=")))
        return wrong("a label is compared by = or !=");
      auto value = scanner.quoted();
      if (!value) return wrong("the value of a label stands in double quotes");
      matcher.value = *std::move(value);
      condition.matchers.push_back(std::move(matcher));
      scanner.take(",");
    }
  }
  const auto comparison =
      std::ranges::find_if(kComparisons, [&](const auto& each) { return scanner.take(each.first); });
  if (comparison == kComparisons.end()) return wrong("a metric is compared by == != < <= > or >=");
  condition.comparison = comparison->second;
  const auto number = scanner.number();
  if (!number || std::isnan(*number)) return wrong("it is compared with a number");
  condition.number = *number;
  TRYV(check(condition));
  return condition;
}

Result<AlertRules> parse_alert_rules(std::string_view yaml) {
  try {
    return rules_of(YAML::Load(std::string(yaml)));
  } catch (const YAML::Exception& e) {
    return fail(Code::invalid_argument, fmt::format("it is no YAML: {}", e.what()));
  }
}

}  // namespace cc::monitor
