#include "backup/parts.h"

#include <fstream>

#include <gtest/gtest.h>

namespace cc::backup {
namespace {

TEST(Parts, AreAsLargeAsTheirNumberAsksFor) {
  EXPECT_EQ(part_size(1, 10'000), kPart);
  EXPECT_EQ(part_size(kPart * 10'000, 10'000), kPart);
  EXPECT_EQ(part_size(kPart * 10'000 + 1, 10'000), 2 * kPart);
}

TEST(Parts, AreTheWholeFile) {
  const TempDirectory folder;
  const Path file = folder.path() / "file";
  for (const auto& [content, parts] : {std::pair<std::string, std::vector<std::string>>{"", {}},
                                       {"abc", {"0:abc"}},
                                       {"abcdef", {"0:abc", "3:def"}},
                                       {"abcdefg", {"0:abc", "3:def", "6:g"}}}) {
    std::ofstream(file) << content;
    std::vector<std::string> got;
    ASSERT_TRUE(in_parts(file, 3, [&](std::uint64_t offset, std::string_view part) -> Result<> {
      got.push_back(std::to_string(offset) + ":" + std::string(part));
      return {};
    }));
    EXPECT_EQ(got, parts);
  }
}

}  // namespace
}  // namespace cc::backup
