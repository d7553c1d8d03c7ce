#include "base/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Process, is_run_to_its_end_with_what_it_wrote) {
  const auto finished = run_process({"sh", "-c", "echo out; echo err >&2; exit 3"}, "", {});
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_EQ(finished->output, "out\n");
  EXPECT_EQ(finished->errors, "err\n");
  EXPECT_EQ(finished->status, 3);
  EXPECT_FALSE(finished->good());
  EXPECT_EQ(run_process({"sh", "-c", "kill -9 $$"}, "", {})->status, 128 + 9);
}

TEST(Process, is_given_its_input_and_arguments_as_they_are) {
  EXPECT_EQ(run_process({"cat"}, "a\nb", {})->output, "a\nb");
  EXPECT_EQ(run_process({"printf", "%s|", "$(id)", "a b", "'"}, "", {})->output, "$(id)|a b|'|");
}

TEST(Process, has_the_variables_that_it_is_given_and_the_others_as_they_are) {
  const auto finished = run_process({"sh", "-c", "echo \"$GIVEN|$HOME|${PATH:+path}\""}, "", {},
                                    {{"GIVEN", "it's a \"secret\""}, {"HOME", "/elsewhere"}});
  EXPECT_EQ(finished->output, "it's a \"secret\"|/elsewhere|path\n");
}

TEST(Process, may_be_given_and_write_more_than_a_pipe_holds) {
  const std::string much(5'000'000, 'x');
  EXPECT_EQ(run_process({"cat"}, much, {})->output, much);
  EXPECT_TRUE(run_process({"true"}, much, {})->good()) << "one that does not read";
}

TEST(Process, that_is_not_there_is_told) {
  const auto finished = run_process({"no-such-program-anywhere"}, "", {});
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, Code::not_found);
  EXPECT_THAT(finished.error().message, HasSubstr("no-such-program-anywhere"));
}

TEST(Process, is_ended_at_the_deadline_with_all_that_it_started) {
  const SystemClock clock;
  const auto finished = run_process({"sh", "-c", "sleep 600 & sleep 600"}, "", {clock, clock.now() + 100ms});
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, Code::timeout);
}

}  // namespace
}  // namespace cc
