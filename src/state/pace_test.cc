#include "state/pace.h"

#include <gtest/gtest.h>

namespace cc::state {
namespace {

using namespace std::chrono_literals;

constexpr auto kOrdinary = 250ms;

TEST(Pace, is_ordinary_as_long_as_it_can_follow) {
  Pace pace(kOrdinary);
  Mono at{};
  EXPECT_EQ(pace.next(at, 1'000'000), at + kOrdinary) << "the first, whatever is missing";
  at += 1s;
  EXPECT_EQ(pace.next(at, 1'005'000), at + kOrdinary);
}

TEST(Pace, leaves_the_machine_to_publishes_that_come_faster_than_that) {
  Pace pace(kOrdinary);
  Mono at{};
  pace.next(at, 0);
  at += 1s;
  EXPECT_EQ(pace.next(at, 9'000), at + Pace::kCompeting);
  at += 2s;
  EXPECT_EQ(pace.next(at, 27'000), at + Pace::kCompeting);
  at += 2s;
  EXPECT_EQ(pace.next(at, 27'500), at + kOrdinary) << "calmer, and much to catch up with";
}

TEST(Pace, is_not_misled_by_a_group_of_commits) {
  Pace pace(kOrdinary);
  Mono at{};
  pace.next(at, 0);
  at += 250ms;
  EXPECT_EQ(pace.next(at, 4'000), at + kOrdinary) << "16,000 a second, for a moment";
  at += 750ms;
  EXPECT_EQ(pace.next(at, 4'500), at + kOrdinary);
}

TEST(Pace, begins_anew_with_another_history) {
  Pace pace(kOrdinary);
  Mono at{};
  pace.next(at, 1'000);
  at += 1s;
  EXPECT_EQ(pace.next(at, 10), at + kOrdinary);
}

}  // namespace
}  // namespace cc::state
