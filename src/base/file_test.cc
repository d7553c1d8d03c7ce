#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

namespace cc {
namespace {

std::size_t files_in(const Path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

struct stat status_of(const Path& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

unsigned mode_of(const Path& path) {
  return status_of(path).st_mode & 07777;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

TEST(File, of_ours_is_replaced_whole_with_the_asked_mode) {
  const TempDirectory folder;
  const Path file = folder.path() / "a";
  ASSERT_TRUE(write_file(file, "one", 0600));
  ASSERT_TRUE(write_file(file, "two", 0600));
  EXPECT_EQ(read_file(file).value(), "two");
  EXPECT_EQ(mode_of(file), 0600u);
  EXPECT_EQ(size_of_tree(folder.path()), 3u);
  EXPECT_EQ(files_in(folder.path()), 1u) << "nothing is left beside it";
  const auto missing = read_file(folder.path() / "none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_NE(missing.error().message.find("none"), std::string::npos);
}

TEST(NamedFile, that_is_new_follows_the_umask) {
  const TempDirectory folder;
  const Umask mask(027);
  ASSERT_TRUE(write_named_file(folder.path() / "a", "x"));
  ASSERT_TRUE(write_named_file(folder.path() / "b", "x", 0600));
  EXPECT_EQ(mode_of(folder.path() / "a"), 0640u);
  EXPECT_EQ(mode_of(folder.path() / "b"), 0600u);
  EXPECT_EQ(files_in(folder.path()), 2u);
}

TEST(NamedFile, keeps_the_mode_and_the_owner_of_what_is_there_and_replaces_it_whole) {
  const TempDirectory folder;
  const Path file = folder.path() / "a";
  ASSERT_TRUE(write_file(file, "old", 0604));
  const bool root = ::geteuid() == 0;
  if (root) ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
  const struct stat before = status_of(file);
  ASSERT_TRUE(write_named_file(file, "new"));
  const struct stat after = status_of(file);
  EXPECT_EQ(read_file(file).value(), "new");
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_gid, before.st_gid);
  EXPECT_NE(after.st_ino, before.st_ino);
}

TEST(NamedFile, follows_links_also_those_that_lead_to_nothing_yet) {
  const TempDirectory folder;
  const Path target = folder.path() / "target", link = folder.path() / "link", relative = folder.path() / "relative";
  std::filesystem::create_symlink("target", relative);
  std::filesystem::create_symlink(relative, link);
  ASSERT_TRUE(write_named_file(link, "one"));
  EXPECT_EQ(read_file(target).value(), "one");
  ASSERT_TRUE(write_named_file(link, "two"));
  EXPECT_EQ(read_file(target).value(), "two");
  EXPECT_TRUE(std::filesystem::is_symlink(link) && std::filesystem::is_symlink(relative));
  EXPECT_EQ(files_in(folder.path()), 3u);
}

TEST(NamedFile, with_other_names_is_written_to) {
  const TempDirectory folder;
  const Path file = folder.path() / "a", other = folder.path() / "b";
  ASSERT_TRUE(write_file(file, "something long"));
  std::filesystem::create_hard_link(file, other);
  ASSERT_TRUE(write_named_file(file, "new"));
  EXPECT_EQ(read_file(other).value(), "new");
}

TEST(NamedFile, that_is_a_pipe_or_a_device_stays_one) {
  const TempDirectory folder;
  const Path pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Result<std::string> read;
  std::thread reader([&] { read = read_file(pipe); });
  EXPECT_TRUE(write_named_file(pipe, "through the pipe"));
  reader.join();
  EXPECT_EQ(read.value(), "through the pipe");
  EXPECT_TRUE(S_ISFIFO(status_of(pipe).st_mode));

  const struct stat before = status_of("/dev/null");
  EXPECT_TRUE(write_named_file("/dev/null", "away"));
  EXPECT_EQ(status_of("/dev/null").st_mode, before.st_mode);
  const auto full = write_named_file("/dev/full", "no room");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::unavailable);
}

TEST(NamedFile, may_have_the_longest_name_there_is) {
  const TempDirectory folder;
  const Path file = folder.path() / std::string(255, 'n');
  ASSERT_TRUE(write_named_file(file, "x"));
  ASSERT_TRUE(write_file(file, "y"));
  EXPECT_EQ(read_file(file).value(), "y");
}

TEST(NamedFile, that_is_not_finished_is_as_it_was) {
  const TempDirectory folder;
  const Path file = folder.path() / "a";
  ASSERT_TRUE(write_file(file, "old"));
  {
    auto writing = NamedFile::open(file);
    ASSERT_TRUE(writing);
    ASSERT_TRUE(writing->write("half"));
  }
  EXPECT_EQ(read_file(file).value(), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
  EXPECT_FALSE(write_named_file(folder.path(), "a folder is no file"));
  EXPECT_FALSE(write_named_file(folder.path() / "none" / "a", "x"));
}

TEST(TempDirectory, goes_with_everything_in_it_and_says_where_it_cannot_be) {
  Path path;
  {
    const TempDirectory folder;
    path = folder.path();
    ASSERT_TRUE(write_file(path / "a", "x"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("TMPDIR", "/nonexistent", 1);
  const auto none = TempDirectory::make();
  before != nullptr ? ::setenv("TMPDIR", kept.c_str(), 1) : ::unsetenv("TMPDIR");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("/nonexistent"), std::string::npos);
}

TEST(NewFile, IsThereWhenItWasFinishedAndElseNot) {
  const TempDirectory folder;
  const Path path = folder.path() / "new";
  {
    auto file = NewFile::create(path, 0600);
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->write("half"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  auto file = NewFile::create(path, 0600);
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->write("one "));
  EXPECT_TRUE(file->write("two"));
  EXPECT_TRUE(file->finish());
  EXPECT_EQ(read_file(path), "one two");
  EXPECT_EQ(NewFile::create(path).error().code, Code::already_exists);
}

TEST(NewFile, HasAllThatWasWrittenToItInPiecesLargeAndSmall) {
  const TempDirectory folder;
  auto file = NewFile::create(folder.path() / "new");
  ASSERT_TRUE(file);
  std::string all;
  for (const std::size_t size : {1u, 3u << 20, 700'000u, 700'000u, 5u}) {
    all.append(size, static_cast<char>('a' + all.size() % 26));
    ASSERT_TRUE(file->write(std::string_view(all).substr(all.size() - size)));
  }
  ASSERT_TRUE(file->finish());
  EXPECT_TRUE(read_file(folder.path() / "new") == all);
}

TEST(WriteOut, ChangesNothingAndSaysWhatItCannotFind) {
  const TempDirectory folder;
  const Path path = folder.path() / "file";
  ASSERT_TRUE(write_file(path, "abc"));
  EXPECT_TRUE(write_out(path));
  EXPECT_EQ(read_file(path), "abc");
  EXPECT_EQ(write_out(folder.path() / "none").error().code, Code::not_found);
}

TEST(OpenFile, IsReadToItsEndAlsoWhenItIsRemovedMeanwhile) {
  const TempDirectory folder;
  const Path path = folder.path() / "file";
  ASSERT_TRUE(write_file(path, "abcdef"));
  auto file = OpenFile::open(path);
  ASSERT_TRUE(file);
  std::filesystem::remove(path);
  char piece[4];
  EXPECT_EQ(file->read(piece, 4), 4u);
  EXPECT_EQ(std::string_view(piece, 4), "abcd");
  EXPECT_EQ(file->read(piece, 4), 2u);
  EXPECT_EQ(file->read(piece, 4), 0u);
  EXPECT_EQ(OpenFile::open(path).error().code, Code::not_found);
}

}  // namespace
}  // namespace cc
