#include "monitor/exposition.h"

#include <cstdlib>
#include <limits>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/log.h"
#include "monitor/catalog.h"

namespace cc::monitor {
namespace {

const Logger kLog{"monitor"};

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return prometheus::MetricType::Counter;
    case MetricType::gauge:
      return prometheus::MetricType::Gauge;
    case MetricType::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

struct Exposition::Impl {
  std::map<std::string, prometheus::MetricFamily, std::less<>> families;

  prometheus::ClientMetric& make(std::string_view name, const Labels& labels) {
    const MetricInfo* info = find_metric(name);
    std::string names;
    for (const auto& label : labels)
      names += (names.empty() ? "" : ",") + label.first;
    if (info == nullptr || info->labels != names) {
      kLog.error("a metric is not in the catalog with these labels", {{"metric", name}, {"labels", names}});
      std::abort();
    }
    auto& family = families[std::string(name)];
    family.name = name;
    family.help = info->help;
    family.type = type_of(info->type);
    auto& metric = family.metric.emplace_back();
    for (const auto& [label, value] : labels)
      metric.label.push_back({label, value});
    return metric;
  }
};

Exposition::Exposition() : impl_(std::make_unique<Impl>()) {}
Exposition::~Exposition() = default;

void Exposition::add(std::string_view name, double value, const Labels& labels) {
  auto& metric = impl_->make(name, labels);
  metric.counter.value = value;
  metric.gauge.value = value;
}

void Exposition::add(std::string_view name, const Histogram::Sample& sample, const Labels& labels) {
  auto& histogram = impl_->make(name, labels).histogram;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
    so_far += sample.buckets[i];
    const double bound =
        i < Histogram::kBounds.size() ? Histogram::kBounds[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({so_far, bound});
  }
  histogram.sample_count = so_far;
  histogram.sample_sum = sample.sum;
}

std::string Exposition::text() const {
  std::vector<prometheus::MetricFamily> all;
  for (const auto& [name, family] : impl_->families)
    all.push_back(family);
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace cc::monitor
