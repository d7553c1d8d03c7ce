#include "node/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::node {
namespace {

using testing::HasSubstr;

TEST(Cron, takes_numbers_names_ranges_steps_and_lists) {
  for (const char* fine : {"0 3 * * *", "*/15 * * * *", "0 0 1,15 * *", "30 2 * jan-MAR mon-fri",
                           "0-30/10 8-18 * * 1-5", "59 23 31 12 7", " 0  3 * * sun "}) {
    EXPECT_TRUE(check_cron(fine)) << fine;
  }
}

TEST(Cron, names_the_field_that_is_wrong) {
  const auto told = [](std::string_view text) {
    const auto checked = check_cron(text);
    return checked ? std::string("accepted") : checked.error().message;
  };
  EXPECT_THAT(told("nonsense"), HasSubstr("five"));
  EXPECT_THAT(told(""), HasSubstr("five"));
  EXPECT_THAT(told("0 3 * * * *"), HasSubstr("five"));
  EXPECT_THAT(told("60 3 * * *"), HasSubstr("minute"));
  EXPECT_THAT(told("0 24 * * *"), HasSubstr("hour"));
  EXPECT_THAT(told("0 3 0 * *"), HasSubstr("day of the month"));
  EXPECT_THAT(told("0 3 * 13 *"), HasSubstr("month"));
  EXPECT_THAT(told("0 3 * * fry"), HasSubstr("week"));
  EXPECT_THAT(told("*/0 3 * * *"), HasSubstr("minute"));
  EXPECT_THAT(told("30-10 3 * * *"), HasSubstr("minute"));
  EXPECT_THAT(told("1,,2 3 * * *"), HasSubstr("minute"));
}

}  // namespace
}  // namespace cc::node
