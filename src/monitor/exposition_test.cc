#include "monitor/exposition.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "monitor/catalog.h"
#include "monitor/request_counts.h"

namespace cc::monitor {
namespace {

using namespace std::chrono_literals;

TEST(Catalog, names_are_unique_and_follow_the_conventions) {
  std::set<std::string_view> names;
  for (const MetricInfo& metric : catalog()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_EQ(metric.type == MetricType::counter, metric.name.ends_with("_total")) << metric.name;
    EXPECT_FALSE(metric.help.empty()) << metric.name;
  }
}

TEST(Catalog, the_unit_is_the_one_in_the_name) {
  for (const MetricInfo& metric : catalog()) {
    std::string_view name = metric.name;
    EXPECT_FALSE(metric.unit.empty()) << name;
    if (name.ends_with("_total")) name.remove_suffix(6);
    for (const std::string_view unit : {"seconds", "bytes"})
      EXPECT_EQ(name.ends_with(unit), metric.unit == unit) << metric.name;
    if (metric.type == MetricType::histogram) EXPECT_EQ(metric.unit, "seconds") << metric.name;
  }
}

TEST(Catalog, each_label_says_where_its_values_come_from) {
  std::set<std::string_view> used{"le"}, told;
  for (const MetricInfo& metric : catalog()) {
    if (metric.labels.empty()) continue;
    for (const std::string_view label : split(metric.labels, ','))
      used.insert(label);
  }
  for (const LabelInfo& label : labels())
    EXPECT_TRUE(told.insert(label.name).second) << label.name;
  EXPECT_EQ(used, told);
  const auto le = std::ranges::find(labels(), "le", &LabelInfo::name);
  EXPECT_EQ(le->most, Histogram::kBounds.size() + 1);
}

TEST(Catalog, is_what_the_documentation_says) {
  const auto page = read_file(CC_SOURCE_DIR "/docs/METRICS.md").value();
  EXPECT_TRUE(page.ends_with(metrics_reference()))
      << "docs/METRICS.md is not what the catalog says: end it with the output of `config-center monitoring metrics`";
}

TEST(Exposition, prints_counters_gauges_and_cumulated_buckets) {
  Histogram histogram;
  histogram.add(60us);
  histogram.add(10s);
  Exposition page;
  page.add("config_center_revision", 7);
  page.add("config_center_publishes_total", 3, {{"environment", "prod"}});
  page.add("config_center_commit_duration_seconds", histogram.sample());
  const std::string text = page.text();
  EXPECT_NE(text.find("# TYPE config_center_revision gauge\nconfig_center_revision 7"), std::string::npos) << text;
  EXPECT_NE(text.find("config_center_publishes_total{environment=\"prod\"} 3"), std::string::npos) << text;
  EXPECT_NE(text.find("config_center_commit_duration_seconds_bucket{le=\"0.0001\"} 1"), std::string::npos) << text;
  EXPECT_NE(text.find("config_center_commit_duration_seconds_bucket{le=\"+Inf\"} 2"), std::string::npos) << text;
}

TEST(Exposition, refuses_a_metric_that_is_not_in_the_catalog) {
  Exposition page;
  EXPECT_DEATH(page.add("config_center_typo", 1), "");
  EXPECT_DEATH(page.add("config_center_revision", 1, {{"pod", "x"}}), "");
}

TEST(RequestCounts, several_threads_add_up) {
  RequestCounts one, two;
  one.add("/v1/login", "POST", 200, 1ms);
  two.add("/v1/login", "POST", 200, 2ms);
  two.add("", "GET", 404, 2ms);
  std::map<RequestCounts::Key, std::uint64_t> counts;
  std::map<std::string, Histogram::Sample> latencies;
  one.sample(counts, latencies);
  two.sample(counts, latencies);
  EXPECT_EQ(counts.at({"/v1/login", "POST", 200}), 2u);
  EXPECT_EQ(counts.at({"none", "GET", 404}), 1u);
  EXPECT_NEAR(latencies.at("/v1/login").sum, 0.003, 1e-9);
}

TEST(RequestCounts, what_waited_by_intent_is_counted_and_not_timed) {
  RequestCounts requests;
  requests.add("/v1/watch", "POST", 200, std::nullopt);
  std::map<RequestCounts::Key, std::uint64_t> counts;
  std::map<std::string, Histogram::Sample> latencies;
  requests.sample(counts, latencies);
  EXPECT_EQ(counts.at({"/v1/watch", "POST", 200}), 1u);
  EXPECT_EQ(latencies.at("/v1/watch").buckets, Histogram::Sample().buckets);
}

}  // namespace
}  // namespace cc::monitor
