#include "cli/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::cli {
namespace {

using testing::ElementsAre;

std::vector<std::string> names_of(const std::vector<ZipEntry>& entries) {
  std::vector<std::string> names;
  for (const ZipEntry& each : entries)
    names.push_back(each.name);
  return names;
}

TEST(Folder, comes_back_as_it_was_written) {
  const TempDirectory folder;
  Tree tree;
  tree.entries = {
      {"default/.env", "A=1"}, {"default/a.yaml", "a: 1\r\n"}, {"default/conf.d/中.txt", std::string("\0x", 2)}};
  tree.listing = {{"default/.env", {Format::text}}, {"default/a.yaml", {Format::text}}};
  ASSERT_TRUE(write_folder(folder.path() / "out", tree));
  const auto read = read_folder(folder.path() / "out", {}).value();
  ASSERT_EQ(names_of(read.entries), names_of(tree.entries));
  for (std::size_t i = 0; i < tree.entries.size(); ++i)
    EXPECT_EQ(read.entries[i].content, tree.entries[i].content);
  EXPECT_EQ(read.listing, tree.listing);
  EXPECT_THAT(read.left_out, testing::IsEmpty());
}

TEST(Folder, leaves_hidden_files_out_and_says_so_unless_they_are_asked_for_or_listed) {
  const TempDirectory folder;
  Tree tree;
  tree.entries = {{".git/config", "x"},
                  {"default/.a.swp", "x"},
                  {"default/.d/b", "x"},
                  {"default/.d/c", "x"},
                  {"default/a.yaml", "x"}};
  ASSERT_TRUE(write_folder(folder.path(), tree));
  const auto plain = read_folder(folder.path(), {}).value();
  EXPECT_THAT(names_of(plain.entries), ElementsAre("default/a.yaml"));
  EXPECT_THAT(plain.left_out, ElementsAre("hidden: .git/, default/.a.swp, default/.d/"));
  EXPECT_THAT(names_of(read_folder(folder.path(), {.hidden = true}).value().entries),
              ElementsAre(".git/config", "default/.a.swp", "default/.d/b", "default/.d/c", "default/a.yaml"));
  tree.listing = {{"default/.d/b", {Format::text}}};
  ASSERT_TRUE(write_folder(folder.path(), tree));
  const auto listed = read_folder(folder.path(), {}).value();
  EXPECT_THAT(names_of(listed.entries), ElementsAre("default/.d/b", "default/a.yaml"));
  EXPECT_THAT(listed.left_out, ElementsAre("hidden: .git/, default/.a.swp, default/.d/c"));
}

TEST(Folder, follows_links_that_stay_in_it_and_no_others) {
  const TempDirectory above;
  const Path folder = above.path() / "in";
  ASSERT_TRUE(write_folder(above.path(), {.entries = {{"secret", "s"}, {"in/real/a", "x"}}}));
  std::filesystem::create_symlink("real/a", folder / "inside");
  std::filesystem::create_symlink("../secret", folder / "outside");
  std::filesystem::create_symlink("real", folder / "to-a-folder");
  std::filesystem::create_symlink("nowhere", folder / "dangling");
  const auto read = read_folder(folder, {}).value();
  EXPECT_THAT(names_of(read.entries), ElementsAre("inside", "real/a"));
  EXPECT_THAT(read.left_out, ElementsAre("links to elsewhere or to folders: dangling, outside, to-a-folder"));
}

TEST(Folder, that_cannot_hold_all_names_is_not_begun) {
  const TempDirectory above;
  const Path folder = above.path() / "out";
  const auto refused =
      write_folder(folder, {.entries = {{"default/a", "x"}, {"default/a-b", "y"}, {"default/a/b", "z"}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("default/a and default/a/b"));
  EXPECT_THAT(refused.error().message, testing::HasSubstr(".zip"));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(Folder, of_an_earlier_export_does_not_speak_for_this_one) {
  const TempDirectory folder;
  ASSERT_TRUE(write_folder(folder.path(), {.entries = {{"a", "{}"}}, .listing = {{"a", {Format::json}}}}));
  ASSERT_TRUE(write_folder(folder.path(), {.entries = {{"a", "{}"}}}));
  EXPECT_TRUE(read_folder(folder.path(), {}).value().listing.empty());
  ASSERT_TRUE(write_file(folder.path() / kListingFile, "nonsense"));
  EXPECT_FALSE(read_folder(folder.path(), {}));
}

TEST(Folder, takes_only_what_is_included) {
  const TempDirectory folder;
  ASSERT_TRUE(write_folder(folder.path(), {.entries = {{"LICENSE", "x"}, {"a.yml", "x"}, {"deep/b.yml", "x"}}}));
  EXPECT_THAT(names_of(read_folder(folder.path(), {.include = "*.yml"}).value().entries),
              ElementsAre("a.yml", "deep/b.yml"));
}

TEST(Folder, that_is_not_there_is_not_found) {
  const TempDirectory folder;
  const auto read = read_folder(folder.path() / "absent", {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::not_found);
}

}  // namespace
}  // namespace cc::cli
