#include "deploy/version_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::deploy {
namespace {

bool holds(std::string_view range, std::string_view version) {
  return VersionRange::parse(range).value().contains(version);
}

TEST(VersionRange, compares_number_by_number) {
  EXPECT_TRUE(holds(">=15 <18", "15.20-0+deb12u1"));
  EXPECT_TRUE(holds(">=15 <18", "17.9"));
  EXPECT_FALSE(holds(">=15 <18", "18.0"));
  EXPECT_FALSE(holds(">=15 <18", "9.6.24"));
  EXPECT_TRUE(holds(">=6.1", "6.18.44-fc"));
  EXPECT_FALSE(holds(">=6.20", "6.18.44-fc"));
}

TEST(VersionRange, of_as_many_numbers_as_it_gives) {
  EXPECT_TRUE(holds("12", "12.11"));
  EXPECT_TRUE(holds("=12", "12"));
  EXPECT_FALSE(holds("12", "13.1"));
  EXPECT_TRUE(holds("<=15", "15.4"));
  EXPECT_FALSE(holds(">15", "15.4"));
  EXPECT_TRUE(holds("<15.5", "15.4"));
  EXPECT_TRUE(holds("=15.0", "15"));
}

TEST(VersionRange, passes_over_the_epoch_of_a_package) {
  EXPECT_TRUE(holds(">=7 <8", "5:7.0.15-1~deb12u7"));
}

TEST(VersionRange, that_says_nothing_holds_for_all) {
  EXPECT_TRUE(holds("", "1"));
  EXPECT_TRUE(VersionRange().any());
  EXPECT_TRUE(VersionRange::parse("  ").value().any());
  EXPECT_EQ(VersionRange::parse(" >=15 <18 ").value().to_string(), ">=15 <18");
}

TEST(VersionRange, that_is_none_is_refused_with_what_is_wrong) {
  for (const char* wrong : {"15+", ">=", "a", ">= 15", "1..2", ".1", "~15"}) {
    const auto range = VersionRange::parse(wrong);
    ASSERT_FALSE(range) << wrong;
    EXPECT_THAT(range.error().message, testing::HasSubstr("is no condition on a version"));
  }
}

}  // namespace
}  // namespace cc::deploy
