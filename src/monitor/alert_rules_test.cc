#include "monitor/alert_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::monitor {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

bool holds(std::string_view condition, const Series& series) {
  return parse_condition(condition).value().holds(series);
}
std::string complaint(std::string_view condition) {
  const auto parsed = parse_condition(condition);
  return parsed ? "none" : parsed.error().message;
}
std::string complaint_about_file(std::string_view yaml) {
  const auto parsed = parse_alert_rules(yaml);
  return parsed ? "none" : parsed.error().message;
}

TEST(Condition, compares_a_metric_with_a_number) {
  const Series watchers{.name = "config_center_watchers", .value = 5};
  EXPECT_TRUE(holds("config_center_watchers == 5", watchers));
  EXPECT_TRUE(holds("config_center_watchers>4.5", watchers));
  EXPECT_TRUE(holds(" config_center_watchers >= 5 ", watchers));
  EXPECT_TRUE(holds("config_center_watchers <= 5e0", watchers));
  EXPECT_TRUE(holds("config_center_watchers != 6", watchers));
  EXPECT_FALSE(holds("config_center_watchers < 5", watchers));
  EXPECT_FALSE(holds("config_center_configs == 5", watchers));
}

TEST(Condition, is_of_series_with_these_labels) {
  const Series failed{.name = "config_center_logins_total", .labels = {{"outcome", "unauthenticated"}}, .value = 100};
  EXPECT_TRUE(holds("config_center_logins_total > 50", failed));
  EXPECT_TRUE(holds(R"(config_center_logins_total{outcome="unauthenticated"} > 50)", failed));
  EXPECT_TRUE(holds(R"(config_center_logins_total{outcome != "done"} > 50)", failed));
  EXPECT_FALSE(holds(R"(config_center_logins_total{outcome="done"} > 50)", failed));
}

TEST(Condition, knows_what_there_is) {
  EXPECT_THAT(complaint("config_center_watcher > 1"), HasSubstr("did you mean \"config_center_watchers\"?"));
  EXPECT_THAT(complaint(R"(config_center_logins_total{user="x"} > 1)"),
              HasSubstr("has no label \"user\"; it has: outcome"));
  EXPECT_EQ(complaint(R"(config_center_http_request_duration_seconds_bucket{le="0.1"} > 1)"), "none");
  EXPECT_THAT(complaint("config_center_watchers_count > 1"), HasSubstr("no node has a metric"));
}

TEST(Condition, says_what_is_wrong) {
  EXPECT_THAT(complaint(""), HasSubstr("begins with the name of a metric"));
  EXPECT_THAT(complaint("config_center_watchers"), HasSubstr("is compared by"));
  EXPECT_THAT(complaint("config_center_watchers > many"), HasSubstr("with a number"));
  EXPECT_THAT(complaint("config_center_watchers > 1 for"), HasSubstr("with a number"));
  EXPECT_THAT(complaint("config_center_logins_total{outcome=done} > 1"), HasSubstr("double quotes"));
  EXPECT_THAT(complaint("config_center_logins_total{outcome~\"d\"} > 1"), HasSubstr("= or !="));
}

TEST(AlertRules, are_read_from_yaml) {
  const AlertRules all = parse_alert_rules(R"(
interval: 1s
webhooks: [http://10.0.0.9/alerts]
rules:
  - name: NoLeader
    expr: config_center_raft_has_leader == 0
    duration: 30s
    labels: {severity: critical}
    annotations: {summary: "no leader"}
)")
                             .value();
  EXPECT_EQ(all.interval, 1s);
  EXPECT_EQ(all.repeat_interval, 4h);
  ASSERT_THAT(all.rules, SizeIs(1));
  EXPECT_EQ(all.rules.front().duration, 30s);
  EXPECT_EQ(all.rules.front().labels.at("severity"), "critical");
}

TEST(AlertRules, say_the_line_of_what_is_wrong) {
  EXPECT_THAT(complaint_about_file("rules: []"), HasSubstr("who is to be told?"));
  EXPECT_THAT(complaint_about_file("webhooks: [10.0.0.9]\nrules: []"), HasSubstr("line 1: a webhook is an address"));
  EXPECT_THAT(complaint_about_file("webhooks: [http://a]\nrules:\n  - name: A\n    expr: nothing > 1\n"),
              HasSubstr("line 4: no node has a metric \"nothing\""));
  EXPECT_THAT(complaint_about_file("webhooks: [http://a]\nruels: []"), HasSubstr("did you mean \"rules\"?"));
  EXPECT_THAT(complaint_about_file("webhooks: [http://a]\nrules:\n  - {name: A, expr: up}"), HasSubstr("line 3"));
  EXPECT_THAT(complaint_about_file("interval: 5\nwebhooks: [http://a]\nrules: []"), HasSubstr("line 1: interval"));
  EXPECT_THAT(complaint_about_file("{"), HasSubstr("no YAML"));
}

TEST(Page, is_read_as_series) {
  const auto all = parse_page(
      "# HELP a_total what\n# TYPE a_total counter\na_total{x=\"1\",y=\"say \\\"a\\\\\"} 5\nb 1.5e3\n\nc{} "
      "+Inf\nnonsense\n");
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].name, "a_total");
  EXPECT_EQ(all[0].labels.at("y"), "say \"a\\");
  EXPECT_EQ(all[0].value, 5);
  EXPECT_EQ(all[1].value, 1500);
}

}  // namespace
}  // namespace cc::monitor
