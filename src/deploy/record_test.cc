#include "deploy/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::deploy {
namespace {

using testing::HasSubstr;

class RecordsTest : public testing::Test {
 protected:
  void keep(std::uint64_t number, std::string state, std::string result = "good") {
    Record record{.number = number, .operation = "deploy", .who = "me", .release = "r" + std::to_string(number)};
    record.state = std::move(state);
    record.result = std::move(result);
    record.outcomes = {
        {.stage = "s", .host = "a", .step = "x", .state = Outcome::State::failed, .message = "no \"room\""}};
    ASSERT_TRUE(records.keep(record));
  }
  TempDirectory directory;
  Records records{directory.path() / "deployments"};
};

TEST_F(RecordsTest, are_read_as_they_were_kept) {
  EXPECT_EQ(records.next_number(), 1u);
  keep(1, "one");
  const Record record = records.find(1).value();
  EXPECT_EQ(record.release, "r1");
  ASSERT_EQ(record.outcomes.size(), 1u);
  EXPECT_EQ(record.outcomes[0].state, Outcome::State::failed);
  EXPECT_EQ(record.outcomes[0].message, "no \"room\"");
  EXPECT_EQ(records.next_number(), 2u);
}

TEST_F(RecordsTest, going_back_is_to_the_last_that_was_good_and_different) {
  keep(1, "one");
  keep(2, "two", "failed");
  keep(3, "three");
  keep(4, "three");
  keep(5, "");  // services were restarted
  EXPECT_EQ(records.last_good()->number, 4u);
  EXPECT_EQ(records.last_good("three")->number, 1u);
  EXPECT_EQ(records.last_good("one")->number, 4u);
}

TEST_F(RecordsTest, one_that_is_not_there_is_told_with_those_that_are) {
  EXPECT_FALSE(records.last_good());
  keep(1, "one");
  EXPECT_THAT(records.find(7).error().message, HasSubstr("there are: 1"));
}

TEST_F(RecordsTest, that_are_broken_are_named) {
  keep(1, "one");
  ASSERT_TRUE(write_file(directory.path() / "deployments/0001/record.json", "{"));
  EXPECT_THAT(records.all().error().message, HasSubstr("0001/record.json"));
}

}  // namespace
}  // namespace cc::deploy
