#include "deploy/notifications.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(TestAlert, names_its_receiver_and_ends_by_itself) {
  const ManualClock clock;
  const auto posted = boost::json::parse(
      to_json(TestAlert{.receiver = "chat", .installation = "shop", .id = "one", .at = clock.wall()}));
  const auto& alert = posted.at(0);
  EXPECT_EQ(alert.at("labels"), (boost::json::value{{"alertname", "ConfigCenterTest"},
                                                    {"severity", "none"},
                                                    {"receiver", "chat"},
                                                    {"test", "one"},
                                                    {"installation", "shop"}}));
  EXPECT_EQ(alert.at("startsAt"), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(alert.at("endsAt"), "2026-01-01T00:01:00.000Z");
}

TEST(WaysToTell, are_the_settings_that_a_receiver_has) {
  const std::string settings =
      "receivers:\n"
      "  - name: nobody\n"
      "  - {name: all, email_configs: [{to: a}, {to: b}], webhook_configs: [{url: c}], slack_configs: []}\n";
  EXPECT_THAT(ways_to_tell(settings, "all").value(), ElementsAre(Pair("email", 2), Pair("webhook", 1)));
  EXPECT_TRUE(ways_to_tell(settings, "nobody").value().empty());
  EXPECT_THAT(ways_to_tell(settings, "al").error().message, HasSubstr("it has: nobody, all"));
  EXPECT_EQ(ways_to_tell("{", "all").error().code, Code::invalid_argument);
}

TEST(Notifications, are_counted_by_alertmanager) {
  const std::string metrics =
      "alertmanager_notification_requests_total{integration=\"email\"} 5\n"
      "alertmanager_notification_requests_total{integration=\"slack\"} 7\n"
      "alertmanager_notification_requests_failed_total{integration=\"email\"} 2\n";
  const Notifications email = notifications_in(metrics, "email");
  EXPECT_EQ(email.sent, 3);
  EXPECT_EQ(email.failed, 2);
  EXPECT_EQ(notifications_in(metrics, "webhook").sent, 0);
}

}  // namespace
}  // namespace cc::deploy
