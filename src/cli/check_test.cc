#include "cli/check.h"

#include <gtest/gtest.h>

namespace cc::cli {
namespace {

TEST(Check, names_what_is_allowed) {
  const Check check = one_of({"table", "json"});
  EXPECT_EQ(check("json"), "");
  EXPECT_EQ(check("xml"), "\"xml\" is none of table, json");
}

TEST(Check, takes_whole_numbers_within_their_bounds) {
  const Check check = between(1, 64);
  EXPECT_EQ(check("1"), "");
  EXPECT_EQ(check("64"), "");
  for (const char* text : {"0", "65", "-1", "1.5", "many", ""})
    EXPECT_NE(check(text), "") << text;
  EXPECT_EQ(check("65"), "\"65\" is not a whole number from 1 to 64");
  EXPECT_EQ(positive()("0"), "\"0\" is not a whole number from 1");
}

}  // namespace
}  // namespace cc::cli
