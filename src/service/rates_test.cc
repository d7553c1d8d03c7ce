#include "service/rates.h"

#include <gmock/gmock.h>

namespace cc::service {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ARate : public testing::Test {
 protected:
  // How many of so many are admitted.
  int admit(Rate& rate, int requests) {
    int admitted = 0;
    for (int i = 0; i < requests; ++i)
      admitted += rate.admit(clock.now()) ? 1 : 0;
    return admitted;
  }

  // Of the only one there is.
  std::string name() {
    std::string found;
    rates.for_each([&](const std::string& each, Rate&) { found = each; });
    return found;
  }

  ManualClock clock;
  Rates rates{{.per_user = 10, .per_address = 0}, clock};
  RatePtr ann = rates.of_user("ann");
};

TEST_F(ARate, lets_through_two_seconds_worth_at_once_and_so_many_a_second_from_then_on) {
  EXPECT_EQ(admit(*ann, 100), 20);
  clock.advance(1s);
  EXPECT_EQ(admit(*ann, 100), 10);
  clock.advance(1h);
  EXPECT_EQ(admit(*ann, 100), 20) << "what was not used is not saved up";
}

TEST_F(ARate, says_when_to_come_again_and_which_setting_it_is) {
  admit(*ann, 20);
  const auto refused = ann->admit(clock.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("limits.requests_per_user"));
  EXPECT_EQ(refused.error().details, R"({"retry_after_seconds":1})");
}

TEST_F(ARate, is_one_for_all_who_ask_as_the_same) {
  EXPECT_EQ(rates.of_user("ann"), ann);
  EXPECT_NE(rates.of_user("bob"), ann);
  EXPECT_EQ(rates.of_address("10.0.0.1"), nullptr) << "unlimited";
}

TEST_F(ARate, is_of_all_addresses_that_one_host_can_have) {
  Rates by_address({.per_user = 0, .per_address = 10}, clock);
  EXPECT_EQ(by_address.of_address("2001:db8::1"), by_address.of_address("2001:db8::2"));
  EXPECT_NE(by_address.of_address("10.0.0.1"), by_address.of_address("10.0.0.2"));
}

TEST_F(ARate, counts_what_other_nodes_let_through) {
  EXPECT_EQ(admit(*ann, 5), 5);
  EXPECT_EQ(ann->take_admitted(), 5u);
  EXPECT_EQ(ann->take_admitted(), 0u);
  rates.admitted_elsewhere(name(), 10, clock.now());
  EXPECT_EQ(admit(*ann, 100), 5);
}

TEST_F(ARate, does_not_hold_against_anybody_what_was_let_through_long_ago) {
  const Mono then = clock.now();
  clock.advance(1min);
  rates.admitted_elsewhere(name(), 10 * 60, then);
  EXPECT_EQ(admit(*ann, 100), 20);
}

TEST_F(ARate, is_forgotten_when_it_is_idle_and_of_no_session) {
  const std::weak_ptr<Rate> idle = rates.of_user("bob");
  const std::weak_ptr<Rate> busy = rates.of_user("carl");
  admit(*busy.lock(), 100);
  for (int i = 0; i < 2000; ++i)
    rates.of_user("user" + std::to_string(i));
  EXPECT_TRUE(idle.expired());
  EXPECT_FALSE(busy.expired());
}

}  // namespace
}  // namespace cc::service
