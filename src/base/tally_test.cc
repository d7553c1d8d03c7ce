#include "base/tally.h"

#include <thread>

#include <gtest/gtest.h>

namespace cc {
namespace {

TEST(Tally, several_add_up) {
  Tally one, two;
  one.add("prod");
  one.add("prod");
  one.add("dev");
  two.add("prod");
  std::map<std::string, std::uint64_t> counts;
  one.sample(counts);
  two.sample(counts);
  EXPECT_EQ(counts, (std::map<std::string, std::uint64_t>{{"dev", 1}, {"prod", 3}}));
}

// For the thread sanitizer, too.
TEST(Tally, is_sampled_while_it_counts) {
  Tally tally;
  std::thread counting([&] {
    for (int i = 0; i < 10'000; ++i)
      tally.add(std::to_string(i % 50));
  });
  std::uint64_t last = 0;
  while (last < 10'000) {
    std::map<std::string, std::uint64_t> counts;
    tally.sample(counts);
    std::uint64_t sum = 0;
    for (const auto& [name, count] : counts)
      sum += count;
    ASSERT_GE(sum, last);
    last = sum;
  }
  counting.join();
}

}  // namespace
}  // namespace cc
