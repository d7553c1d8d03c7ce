#include "identity/lockout.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace cc::identity {
namespace {

using namespace std::chrono_literals;

constexpr Lockout::Options kOptions{
    .failures_per_user = 3, .failures_per_network = 6, .lock = 5min, .remember_at_most = 100};

class LockoutTest : public testing::Test {
 protected:
  void fail_times(int times, const std::string& user, const std::string& address) {
    for (int i = 0; i < times; ++i)
      lockout.failed(user, address);
  }
  bool locked(const std::string& user, const std::string& address) { return !lockout.check(user, address); }

  ManualClock clock;
  Lockout lockout{clock, kOptions};
};

TEST_F(LockoutTest, a_user_is_locked_after_so_many_failures_wherever_they_came_from) {
  lockout.failed("ann", "10.0.0.1");
  lockout.failed("ann", "10.0.0.2");
  EXPECT_FALSE(locked("ann", "10.0.0.3"));
  lockout.failed("ann", "10.0.0.3");
  EXPECT_TRUE(locked("ann", "10.0.0.9"));
  EXPECT_FALSE(locked("bob", "10.0.0.1"));
}

TEST_F(LockoutTest, an_address_is_locked_after_so_many_failures_whoever_was_tried) {
  for (int i = 0; i < 6; ++i)
    lockout.failed("user" + std::to_string(i), "10.0.0.1");
  EXPECT_TRUE(locked("ann", "10.0.0.1"));
  EXPECT_FALSE(locked("ann", "10.0.0.2"));
}

TEST_F(LockoutTest, a_client_with_many_addresses_of_one_network_is_one_client) {
  for (int i = 0; i < 6; ++i)
    lockout.failed("user" + std::to_string(i), "2001:db8:1:2::" + std::to_string(i));
  EXPECT_TRUE(locked("ann", "2001:db8:1:2:9:9:9:9"));
  EXPECT_FALSE(locked("ann", "2001:db8:1:3::1"));
  fail_times(2, "bob", "10.0.0.1");
  for (int i = 0; i < 4; ++i)
    lockout.failed("others" + std::to_string(i), "::ffff:10.0.0.1");
  EXPECT_TRUE(locked("ann", "10.0.0.1"));
}

TEST_F(LockoutTest, tells_when_to_come_back_and_lets_in_then) {
  fail_times(3, "ann", "10.0.0.1");
  clock.advance(1500ms);
  const auto refused = lockout.check("ann", "10.0.0.1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  EXPECT_EQ(refused.error().details, R"({"retry_after_seconds":299})");
  EXPECT_EQ(refused.error().message, "too many failed logins; try again in 299 seconds");
  clock.advance(5min - 1501ms);
  EXPECT_TRUE(locked("ann", "10.0.0.1"));
  clock.advance(1ms);
  EXPECT_FALSE(locked("ann", "10.0.0.1"));
  fail_times(2, "ann", "10.0.0.1");
  EXPECT_FALSE(locked("ann", "10.0.0.1"));
}

TEST_F(LockoutTest, failures_count_for_as_long_as_a_lock_would_last) {
  fail_times(2, "ann", "10.0.0.1");
  clock.advance(5min - 1ms);
  lockout.failed("ann", "10.0.0.1");
  EXPECT_TRUE(locked("ann", "10.0.0.1"));
  clock.advance(5min);
  fail_times(2, "ann", "10.0.0.1");
  clock.advance(5min);
  fail_times(2, "ann", "10.0.0.1");
  EXPECT_FALSE(locked("ann", "10.0.0.1"));
  lockout.failed("ann", "10.0.0.1");
  EXPECT_TRUE(locked("ann", "10.0.0.1"));
}

TEST_F(LockoutTest, a_login_clears_the_user_but_not_the_address) {
  fail_times(2, "ann", "10.0.0.1");
  lockout.succeeded("ann", "10.0.0.1");
  fail_times(2, "ann", "10.0.0.1");
  EXPECT_FALSE(locked("ann", "10.0.0.2"));
  fail_times(2, "bob", "10.0.0.1");
  EXPECT_TRUE(locked("carl", "10.0.0.1"));
}

TEST_F(LockoutTest, remembers_no_more_than_it_may) {
  fail_times(2, "ann", "10.0.0.1");
  for (int i = 0; i < 1'000; ++i)
    lockout.failed("user" + std::to_string(i), "10.0.1." + std::to_string(i));
  lockout.failed("ann", "10.0.0.1");
  EXPECT_FALSE(locked("ann", "10.0.0.1")) << "forgotten: the crowd came between";
  fail_times(3, "bob", "10.0.0.2");
  EXPECT_TRUE(locked("bob", "10.0.0.2"));
}

TEST_F(LockoutTest, what_another_node_has_locked_is_locked_for_as_long_as_it_is_there) {
  std::vector<std::string> told;
  lockout.observe({.failed = [&](const std::string& who,
                                 unsigned limit) { told.push_back("failed " + std::to_string(limit) + " " + who); },
                   .succeeded = [&](const std::string& who) { told.push_back("succeeded " + who); },
                   .locked = [&](const std::string& who) { told.push_back("locked " + who); }});
  fail_times(3, "ann", "10.0.0.1");
  lockout.succeeded("bob", "10.0.0.1");
  ASSERT_EQ(told.size(), 7u);
  const std::string ann = told[0].substr(9), network = told[1].substr(9);
  EXPECT_EQ(told[0], "failed 3 " + ann);
  EXPECT_EQ(told[1], "failed 6 " + network);
  EXPECT_EQ(told[4], "locked " + ann);
  EXPECT_EQ(told[5], "failed 6 " + network);
  EXPECT_TRUE(told[6].starts_with("succeeded "));
  EXPECT_FALSE(ann.contains("ann")) << "names do not leave the node in the clear";

  Lockout other(clock, kOptions);
  other.lock(ann, 2min);
  EXPECT_FALSE(other.check("ann", "10.0.0.7"));
  EXPECT_TRUE(other.check("bob", "10.0.0.1"));
  clock.advance(2min);
  EXPECT_TRUE(other.check("ann", "10.0.0.7"));
  other.lock(network, 24h);
  clock.advance(5min);
  EXPECT_TRUE(other.check("carl", "10.0.0.1")) << "no longer than it may be locked";
}

TEST_F(LockoutTest, a_user_named_like_an_address_is_not_that_address) {
  for (int i = 0; i < 6; ++i)
    lockout.failed("10.0.0.1", "192.168.0." + std::to_string(i));
  EXPECT_TRUE(locked("10.0.0.1", "10.0.0.2"));
  EXPECT_FALSE(locked("ann", "10.0.0.1"));
}

}  // namespace
}  // namespace cc::identity
