#include "backup/kept.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/folder.h"

namespace cc::backup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Wall kNow{std::chrono::hours(24 * 1000)};
using std::chrono::days;

Kept good(int days_ago) {
  return {.file = {.name = std::to_string(days_ago)},
          .manifest = Manifest{.time = kNow - days(days_ago)},
          .verified = kNow};
}
Kept not_verified(int days_ago) {
  Kept one = good(days_ago);
  one.verified.reset();
  return one;
}
Kept not_readable(int days_ago) {
  return {.file = {.name = std::to_string(days_ago)}, .trouble = "damaged"};
}

std::vector<std::string> removed(const std::vector<Kept>& all, std::size_t max_backups, int max_days) {
  std::vector<std::string> names;
  for (const Kept& each : to_remove(all, {.max_backups = max_backups, .max_age = days(max_days)}, kNow))
    names.push_back(each.file.name);
  return names;
}

TEST(Retention, keeps_so_many) {
  EXPECT_THAT(removed({good(0), good(1), good(2), good(3)}, 2, 100), ElementsAre("2", "3"));
  EXPECT_THAT(removed({good(0), good(1)}, 2, 100), IsEmpty());
}

TEST(Retention, of_those_that_are_too_old_it_keeps_one_so_that_one_can_go_back_that_far) {
  EXPECT_THAT(removed({good(1), good(25), good(35), good(40)}, 10, 30), ElementsAre("40"));
  EXPECT_THAT(removed({good(1), good(25)}, 10, 30), IsEmpty());
}

TEST(Retention, never_takes_the_newest_good_one) {
  EXPECT_THAT(removed({good(400)}, 1, 30), IsEmpty());
  EXPECT_THAT(removed({not_verified(0), good(400)}, 1, 30), IsEmpty());
}

TEST(Retention, counts_good_ones_alone) {
  EXPECT_THAT(removed({not_verified(0), not_readable(0), good(1), good(2), good(3)}, 2, 100), ElementsAre("3"));
}

TEST(Retention, what_is_not_good_goes_once_a_newer_one_is) {
  EXPECT_THAT(removed({good(1), not_verified(2), good(3), not_readable(9)}, 7, 100), ElementsAre("2", "9"));
  EXPECT_THAT(removed({not_verified(1), not_verified(2)}, 1, 1), IsEmpty()) << "it may be all there is";
}

TEST(Retention, leaves_what_others_made) {
  Kept theirs = not_readable(9);
  theirs.foreign = true;
  EXPECT_THAT(removed({good(1), theirs, not_readable(9)}, 7, 100), ElementsAre("9"));
}

TEST(Folder, that_is_not_there_has_none) {
  EXPECT_THAT(list(folder("/nowhere/at/all"), "").value(), IsEmpty());
}

TEST(Folder, lists_what_has_a_name_of_a_backup_and_says_what_cannot_be_read) {
  const TempDirectory there;
  std::ofstream(there.path() / "one.ccbackup") << "damaged";
  std::ofstream(there.path() / "two.ccbackup.unfinished") << "half";
  const auto all = list(folder(there.path()), "").value();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_FALSE(all.front().good());
  EXPECT_FALSE(all.front().trouble.empty());
}

TEST(Folder, is_tidied_of_notes_whose_backup_is_gone) {
  const TempDirectory there;
  for (const char* name :
       {"one.ccbackup", "one.ccbackup.verified", "two.ccbackup.verified", "two.ccbackup.restored", "x.verified"})
    std::ofstream(there.path() / name) << "text";
  const auto storage = folder(there.path());
  ASSERT_TRUE(tidy(*storage));
  std::vector<std::string> left;
  for (const Stored& each : storage->list().value())
    left.push_back(each.name);
  EXPECT_THAT(left, testing::UnorderedElementsAre("one.ccbackup", "one.ccbackup.verified", "x.verified"));
}

TEST(Folder, remembers_what_was_verified_until_it_is_replaced) {
  const TempDirectory there;
  const File file = file_at(there.path() / "one.ccbackup");
  EXPECT_EQ(note_verified(file, kNow).error().code, Code::not_found);
  ASSERT_TRUE(file.storage->put_text(file.name, "a backup that somebody can read"));
  ASSERT_TRUE(note_restored(file, kNow));
  EXPECT_EQ(list(file.storage, "").value().front().verified, kNow);
  EXPECT_EQ(list(file.storage, "").value().front().restored, kNow);
  ASSERT_TRUE(file.storage->put_text(file.name, "another"));
  EXPECT_FALSE(list(file.storage, "").value().front().verified);
}

TEST(Folder, is_read_in_ranges) {
  const TempDirectory there;
  const auto storage = folder(there.path() / "made");
  std::ofstream(there.path() / "from") << "0123456789";
  ASSERT_TRUE(storage->put("file", there.path() / "from", {}));
  EXPECT_FALSE(std::filesystem::exists(there.path() / "from")) << "it was moved";
  EXPECT_EQ(storage->get("file", 0, 4), "0123");
  EXPECT_EQ(storage->get("file", 8, 4), "89");
  EXPECT_EQ(storage->get("file", 10, 4), "");
  EXPECT_EQ(storage->get("nothing", 0, 4).error().code, Code::not_found);
}

}  // namespace
}  // namespace cc::backup
