#include "node/first_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/state_machine.h"
#include "state/state.h"

namespace cc::node {
namespace {

using testing::SizeIs;

class FirstStartTest : public testing::Test {
 protected:
  FirstStartTest() { EXPECT_TRUE(make_directories(data_)); }

  std::string cluster_id() {
    EXPECT_TRUE(log_->settle());
    return state_->position().cluster_id;
  }
  Result<> create(const char* given = nullptr, const std::stop_token& stop = {}) {
    return create_cluster({.log = *log_,
                           .data_dir = data_,
                           .clock = clock_,
                           .given_password = given,
                           .cluster_id = [this] { return cluster_id(); }},
                          stop);
  }
  Result<std::string> kept() { return read_file(data_ / "admin-password"); }

  TempDirectory folder_;
  const Path data_ = folder_.path() / "data";
  ManualClock clock_;
  Counters counters_;
  Bell committed_;
  std::unique_ptr<state::State> state_ = state::State::open(folder_.path() / "state.db").value();
  StateMachine machine_{*state_, counters_, committed_, "a secret that is long enough for tests", false};
  std::unique_ptr<consensus::Log> log_ =
      consensus::Log::open({.directory = folder_.path() / "raft", .min_free_disk = 0}, machine_).value();
};

TEST_F(FirstStartTest, makes_the_cluster_and_keeps_its_password_to_be_shown) {
  ASSERT_TRUE(create());
  EXPECT_NE(cluster_id(), "");
  EXPECT_THAT(password_to_show(data_), testing::Optional(SizeIs(20)));
  password_was_shown(data_);
  EXPECT_EQ(password_to_show(data_), std::nullopt);
  EXPECT_TRUE(kept());
}

TEST_F(FirstStartTest, a_cluster_that_exists_is_left_as_it_is) {
  ASSERT_TRUE(create("the password that was given"));
  const std::string made = cluster_id();
  ASSERT_TRUE(create());
  EXPECT_EQ(cluster_id(), made);
  EXPECT_FALSE(kept()) << "there is none to keep";
}

TEST_F(FirstStartTest, the_password_of_a_cluster_that_another_node_made_before_is_forgotten) {
  // This node writes its password down and proposes; the other's command comes first.
  bool asked = false;
  const auto done = create_cluster({.log = *log_,
                                    .data_dir = data_,
                                    .clock = clock_,
                                    .given_password = nullptr,
                                    .cluster_id = [&]() -> std::string {
                                      if (std::exchange(asked, true)) return cluster_id();
                                      const Path elsewhere = folder_.path() / "elsewhere";
                                      EXPECT_TRUE(create_cluster({.log = *log_,
                                                                  .data_dir = elsewhere,
                                                                  .clock = clock_,
                                                                  .given_password = "the password of another node",
                                                                  .cluster_id = [] { return std::string(); }},
                                                                 {}));
                                      return "";  // not delivered here yet
                                    }},
                                   {});
  EXPECT_TRUE(done);
  EXPECT_FALSE(kept());
  EXPECT_EQ(password_to_show(data_), std::nullopt);
}

TEST_F(FirstStartTest, a_password_that_came_to_nothing_is_forgotten_and_the_one_that_holds_is_not) {
  ASSERT_TRUE(create());
  forget_other_password(data_, cluster_id());
  EXPECT_TRUE(kept());
  EXPECT_NE(password_to_show(data_), std::nullopt);
  forget_other_password(data_, "another cluster");
  EXPECT_FALSE(kept());
  EXPECT_EQ(password_to_show(data_), std::nullopt);
}

TEST_F(FirstStartTest, one_that_was_shown_stays) {
  ASSERT_TRUE(create());
  password_was_shown(data_);
  forget_other_password(data_, cluster_id());
  EXPECT_TRUE(kept());
}

TEST_F(FirstStartTest, a_second_try_is_of_the_same_cluster_with_the_same_password) {
  std::stop_source stop;
  // The first try is asked to stop when all is written down.
  const auto first = create_cluster({.log = *log_,
                                     .data_dir = data_,
                                     .clock = clock_,
                                     .given_password = nullptr,
                                     .cluster_id =
                                         [&] {
                                           stop.request_stop();
                                           return std::string();
                                         }},
                                    stop.get_token());
  EXPECT_TRUE(first || first.error().code == Code::unavailable);
  const std::string before = kept().value();
  ASSERT_TRUE(create());
  EXPECT_EQ(kept().value(), before);
  EXPECT_EQ(read_file(data_ / "admin-password-to-show").value(), cluster_id() + "\n");
}

TEST_F(FirstStartTest, a_given_password_must_be_one) {
  const auto refused = create("short");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_EQ(cluster_id(), "");
}

}  // namespace
}  // namespace cc::node
