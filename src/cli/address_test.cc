#include "cli/address.h"

#include <gtest/gtest.h>

namespace cc::cli {
namespace {

using namespace std::chrono_literals;

TEST(PathOf, encodes_every_segment_and_keeps_the_slashes_of_the_name) {
  const ConfigKey key{"prod", "订单 service", "default", "conf.d/a b?.yaml"};
  EXPECT_EQ(path_of("/v1/configs", key), "/v1/configs/prod/%E8%AE%A2%E5%8D%95%20service/default/conf.d/a%20b%3F.yaml");
}

TEST(WithQuery, leaves_out_what_is_empty_and_encodes_the_rest) {
  EXPECT_EQ(with_query("/v1/configs", {}), "/v1/configs");
  EXPECT_EQ(with_query("/v1/configs", {{"environment", ""}, {"q", "a&b=c/d"}, {"limit", "10"}}),
            "/v1/configs?q=a%26b%3Dc%2Fd&limit=10");
}

TEST(ParseWhere, takes_as_much_of_a_key_as_there_is) {
  EXPECT_EQ(parse_where("").value(), (Where{}));
  EXPECT_EQ(parse_where("prod").value(), (Where{"prod", "", "", ""}));
  EXPECT_EQ(parse_where("prod/").value(), (Where{"prod", "", "", ""}));
  EXPECT_EQ(parse_where("prod/shop").value(), (Where{"prod", "shop", "", ""}));
  EXPECT_EQ(parse_where("prod/shop/default").value(), (Where{"prod", "shop", "default", ""}));
  EXPECT_EQ(parse_where("prod/shop/default/conf.d/a").value(), (Where{"prod", "shop", "default", "conf.d/a"}));
}

TEST(ParseWhere, refuses_a_missing_segment) {
  for (const char* text : {"/", "/prod", "prod//default", "prod/shop//a"}) {
    const auto where = parse_where(text);
    ASSERT_FALSE(where) << text;
    EXPECT_TRUE(is_wrong_usage(where.error()));
  }
}

TEST(ParseRange, understands_versions_the_draft_and_what_is_published) {
  EXPECT_EQ(parse_range("3..5").value(), (VersionRange{"3", "5"}));
  EXPECT_EQ(parse_range("published..draft").value(), (VersionRange{"published", "draft"}));
  EXPECT_EQ(parse_range("3").value(), (VersionRange{"3", "published"}));
  EXPECT_EQ(parse_range("draft").value(), (VersionRange{"draft", "published"}));
  EXPECT_EQ(parse_range("").value(), (VersionRange{"published", "draft"}));
}

TEST(ParseRange, refuses_everything_else) {
  for (const char* text : {"3-5", "3..", "..5", "a..b", "3...5", "-1..2", "3..4..5"}) {
    const auto range = parse_range(text);
    ASSERT_FALSE(range) << text;
    EXPECT_TRUE(is_wrong_usage(range.error()));
  }
}

TEST(ParseTimeOrAgo, takes_times_and_how_long_ago) {
  const Wall now = Wall(std::chrono::sys_days(std::chrono::year(2026) / 1 / 10));
  EXPECT_EQ(parse_time_or_ago("24h", now).value(), now - 24h);
  EXPECT_EQ(parse_time_or_ago("2026-01-09", now).value(), now - 24h);
  EXPECT_EQ(parse_time_or_ago("2026-01-10T00:00:01Z", now).value(), now + 1s);
  const auto wrong = parse_time_or_ago("yesterday", now);
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(is_wrong_usage(wrong.error()));
}

}  // namespace
}  // namespace cc::cli
