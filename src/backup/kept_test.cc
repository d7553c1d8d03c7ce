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

}  // namespace
}  // namespace cc::backup
