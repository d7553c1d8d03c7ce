#include "deploy/secrets.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace cc::deploy {
namespace {

unsigned mode_of(const Path& path) {
  struct stat about{};
  EXPECT_EQ(::stat(path.c_str(), &about), 0);
  return about.st_mode & 0777u;
}

TEST(Secrets, are_made_once_and_kept) {
  const TempDirectory directory;
  const Path folder = directory.path() / "secrets";
  const Secrets first = keep_secrets(folder).value(), again = keep_secrets(folder).value();
  EXPECT_EQ(first.raft, again.raft);
  EXPECT_EQ(first.raft.size(), 40u);
  EXPECT_EQ(first.vrrp.size(), 8u);
  EXPECT_NE(first.raft, first.jwt);
  EXPECT_EQ(mode_of(folder), 0700u);
  EXPECT_EQ(mode_of(folder / "raft"), 0600u);
}

TEST(Secrets, of_the_operators_own_are_taken_as_they_are) {
  const TempDirectory directory;
  ASSERT_TRUE(keep_secrets(directory.path()));
  const std::string own(50, 'x');
  ASSERT_TRUE(write_file(directory.path() / "database", own + "\n", 0600));
  EXPECT_EQ(keep_secrets(directory.path())->database, own);
}

TEST(Secrets, that_could_not_stand_in_a_file_or_are_short_are_refused) {
  const TempDirectory directory;
  ASSERT_TRUE(keep_secrets(directory.path()));
  ASSERT_TRUE(write_file(directory.path() / "database", "short", 0600));
  EXPECT_THAT(keep_secrets(directory.path()).error().message, testing::HasSubstr("at least 40"));
  ASSERT_TRUE(write_file(directory.path() / "database", std::string(40, '"'), 0600));
  EXPECT_THAT(keep_secrets(directory.path()).error().message, testing::HasSubstr("letters and digits"));
  ASSERT_TRUE(write_file(directory.path() / "database", std::string(40, 'x'), 0600));
  ASSERT_TRUE(write_file(directory.path() / "vrrp", std::string(9, 'x'), 0600));
  EXPECT_THAT(keep_secrets(directory.path()).error().message, testing::HasSubstr("must have 8"));
}

}  // namespace
}  // namespace cc::deploy
