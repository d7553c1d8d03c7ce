#include "cli/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::cli {
namespace {

std::vector<std::string> names_of(const std::vector<ZipEntry>& entries) {
  std::vector<std::string> names;
  for (const ZipEntry& each : entries)
    names.push_back(each.name);
  return names;
}

TEST(Folder, comes_back_as_it_was_written) {
  const TempDirectory folder;
  const std::vector<ZipEntry> entries = {{"default/a.yaml", "a: 1\r\n"},
                                         {"default/conf.d/中.txt", std::string("\0x", 2)}};
  ASSERT_TRUE(write_folder(folder.path() / "out", entries));
  const auto read = read_folder(folder.path() / "out", "").value();
  ASSERT_EQ(names_of(read), names_of(entries));
  EXPECT_EQ(read[0].content, entries[0].content);
  EXPECT_EQ(read[1].content, entries[1].content);
}

TEST(Folder, leaves_hidden_files_and_folders_out) {
  const TempDirectory folder;
  ASSERT_TRUE(write_folder(folder.path(), {{".git/config", "x"}, {"default/.a.swp", "x"}, {"default/a.yaml", "x"}}));
  EXPECT_THAT(names_of(read_folder(folder.path(), "").value()), testing::ElementsAre("default/a.yaml"));
}

TEST(Folder, takes_only_what_is_included) {
  const TempDirectory folder;
  ASSERT_TRUE(write_folder(folder.path(), {{"LICENSE", "x"}, {"a.yml", "x"}, {"deep/b.yml", "x"}}));
  EXPECT_THAT(names_of(read_folder(folder.path(), "*.yml").value()), testing::ElementsAre("a.yml", "deep/b.yml"));
}

TEST(Folder, that_is_not_there_is_not_found) {
  const TempDirectory folder;
  const auto read = read_folder(folder.path() / "absent", "");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::not_found);
}

}  // namespace
}  // namespace cc::cli
