#include "monitor/alerts.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::monitor {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class AlertsTest : public testing::Test {
 protected:
  std::vector<Notification> look(double without_leader, std::chrono::seconds later = 1s) {
    clock_.advance(later);
    return alerts_.look({{.name = "config_center_raft_has_leader", .value = without_leader}}, clock_.now(),
                        clock_.wall());
  }
  std::vector<Notification> look_at_peers(std::vector<std::pair<std::string, double>> reachable) {
    clock_.advance(1s);
    std::vector<Series> page;
    for (const auto& [peer, value] : reachable)
      page.push_back({.name = "config_center_raft_peer_reachable", .labels = {{"peer", peer}}, .value = value});
    return alerts_.look(page, clock_.now(), clock_.wall());
  }

  ManualClock clock_;
  Alerts alerts_{parse_alert_rules(R"yaml(
repeat_interval: 1h
webhooks: [http://127.0.0.1:1]
rules:
  - name: NoLeader
    expr: config_center_raft_has_leader == 0
    duration: 10s
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.instance }} knows no leader ({{ $value }}, {{.Other}})"}
  - name: PeerGone
    expr: config_center_raft_peer_reachable == 0
)yaml")
                     .value(),
                 {{"instance", "node1"}}};
};

TEST_F(AlertsTest, fire_after_the_duration_and_are_told_of_once) {
  EXPECT_THAT(look(0), IsEmpty());
  EXPECT_THAT(look(0, 9s), IsEmpty());
  const auto told = look(0);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_TRUE(told.front().firing());
  const Alert& alert = told.front().alerts.front();
  EXPECT_EQ(alert.labels, (LabelMap{{"alertname", "NoLeader"}, {"severity", "critical"}, {"instance", "node1"}}));
  EXPECT_EQ(alert.annotations.at("summary"), "node1 knows no leader (0, {{.Other}})");
  EXPECT_THAT(look(0), IsEmpty());
}

TEST_F(AlertsTest, that_end_before_the_duration_are_not_told_of) {
  look(0);
  EXPECT_THAT(look(1, 20s), IsEmpty());
  EXPECT_THAT(look(0), IsEmpty()) << "it counts anew";
}

TEST_F(AlertsTest, are_told_to_have_ended) {
  look(0);
  look(0, 10s);
  const auto told = look(1);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_FALSE(told.front().firing());
  EXPECT_GT(told.front().alerts.front().ended, told.front().alerts.front().began);
  EXPECT_THAT(look(1), IsEmpty());
}

TEST_F(AlertsTest, that_go_on_are_told_of_again) {
  look(0);
  look(0, 10s);
  EXPECT_THAT(look(0, 59min), IsEmpty());
  EXPECT_THAT(look(0, 1min), SizeIs(1));
  EXPECT_THAT(look(0, 1min), IsEmpty());
}

TEST_F(AlertsTest, of_one_rule_are_one_notification) {
  const auto told = look_at_peers({{"2", 0}, {"3", 0}, {"4", 1}});
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told.front().alerts, SizeIs(2));
  // One of two ends: both are told, as Alertmanager does.
  const auto then = look_at_peers({{"2", 1}, {"3", 0}});
  ASSERT_THAT(then, SizeIs(1));
  EXPECT_THAT(then.front().alerts, SizeIs(2));
  EXPECT_TRUE(then.front().firing());
}

TEST_F(AlertsTest, of_a_series_that_is_gone_have_ended) {
  look_at_peers({{"2", 0}});
  EXPECT_FALSE(look_at_peers({}).at(0).firing());
}

TEST_F(AlertsTest, are_written_as_alertmanager_does) {
  const auto told = look_at_peers({{"2", 0}, {"3", 0}});
  const auto json = boost::json::parse(to_json(told.at(0), "http://10.0.0.1:8848")).as_object();
  for (const char* member : {"version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels",
                             "commonLabels", "commonAnnotations", "externalURL", "alerts"})
    EXPECT_TRUE(json.contains(member)) << member;
  EXPECT_EQ(json.at("status"), "firing");
  EXPECT_EQ(json.at("groupLabels").at("alertname"), "PeerGone");
  EXPECT_EQ(json.at("commonLabels"), (boost::json::value{{"alertname", "PeerGone"}, {"instance", "node1"}}));
  const auto& alert = json.at("alerts").at(0).as_object();
  EXPECT_EQ(alert.at("labels").at("peer"), "2");
  EXPECT_EQ(alert.at("endsAt"), "0001-01-01T00:00:00Z");
  EXPECT_NE(alert.at("fingerprint"), json.at("alerts").at(1).at("fingerprint"));
}

}  // namespace
}  // namespace cc::monitor
