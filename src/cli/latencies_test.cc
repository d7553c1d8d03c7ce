#include "cli/latencies.h"

#include <numeric>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::cli {
namespace {

using testing::HasSubstr;

TEST(Percentile, is_the_nearest_rank) {
  std::vector<std::uint32_t> hundred(100);
  std::iota(hundred.begin(), hundred.end(), 1u);  // 1 … 100
  EXPECT_EQ(percentile(hundred, 50), 50u);
  EXPECT_EQ(percentile(hundred, 90), 90u);
  EXPECT_EQ(percentile(hundred, 99), 99u);
  EXPECT_EQ(percentile(hundred, 100), 100u);
  EXPECT_EQ(percentile(hundred, 0), 1u);
}

TEST(Percentile, of_few_values_is_one_of_them) {
  EXPECT_EQ(percentile({7}, 50), 7u);
  EXPECT_EQ(percentile({7}, 99), 7u);
  EXPECT_EQ(percentile({1, 2, 3}, 50), 2u);
  EXPECT_EQ(percentile({1, 2, 3}, 99), 3u);
}

TEST(Measured, counts_refusals_and_lost_connections_as_failures) {
  Measured measured;
  measured.statuses = {{200, 10}, {304, 5}, {503, 2}};
  measured.lost = 1;
  EXPECT_EQ(measured.answers(), 17u);
  EXPECT_EQ(measured.failures(), 3u);
}

TEST(Measured, adds_what_threads_saw_at_the_same_time) {
  Measured one{.latencies_us = {1000}, .statuses = {{200, 1}}, .lost = 0, .seconds = 2, .connections = 3};
  one.add({.latencies_us = {3000}, .statuses = {{200, 1}, {500, 1}}, .lost = 1, .seconds = 2.5, .connections = 4});
  const auto json = one.to_json();
  EXPECT_EQ(json.at("requests").to_number<int>(), 3);
  EXPECT_EQ(json.at("connections").to_number<int>(), 7);
  EXPECT_DOUBLE_EQ(json.at("seconds").as_double(), 2.5);
  EXPECT_DOUBLE_EQ(json.at("per_second").as_double(), 3 / 2.5);
  EXPECT_DOUBLE_EQ(json.at("latency_ms").at("p50").as_double(), 1.0);
  EXPECT_DOUBLE_EQ(json.at("latency_ms").at("max").as_double(), 3.0);
  EXPECT_EQ(json.at("statuses").at("200").to_number<int>(), 2);
}

TEST(Measured, reads_well) {
  Measured measured{
      .latencies_us = {300, 500}, .statuses = {{200, 1'234'567}}, .lost = 0, .seconds = 10, .connections = 64};
  const std::string text = measured.to_text();
  EXPECT_THAT(text, HasSubstr("1,234,567 in 10.0 s over 64 connections"));
  EXPECT_THAT(text, HasSubstr("123,456 requests/s"));
  EXPECT_THAT(text, HasSubstr("p50 0.300 ms"));
  EXPECT_THAT(text, testing::Not(HasSubstr("lost")));
}

}  // namespace
}  // namespace cc::cli
