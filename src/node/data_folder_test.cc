#include "node/data_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::node {
namespace {

using testing::HasSubstr;

TEST(DataFolder, is_made_closed_to_others) {
  const TempDirectory above;
  const auto folder = DataFolder::open(above.path() / "new" / "data");
  ASSERT_TRUE(folder) << folder.error().message;
  struct stat info{};
  ASSERT_EQ(::stat((above.path() / "new" / "data").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(DataFolder, in_use_is_refused_with_its_holder_and_free_again_afterwards) {
  const TempDirectory above;
  {
    const auto folder = DataFolder::open(above.path());
    ASSERT_TRUE(folder);
    const auto second = DataFolder::open(above.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::conflict);
    EXPECT_THAT(second.error().message, HasSubstr(above.path().string()));
    EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
  }
  EXPECT_TRUE(DataFolder::open(above.path()));
}

TEST(DataFolder, is_waited_for_while_another_process_ends) {
  const TempDirectory above;
  auto held = std::make_unique<DataFolder>(DataFolder::open(above.path()).value());
  std::thread ending([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    held.reset();
  });
  EXPECT_TRUE(DataFolder::open(above.path(), std::chrono::minutes(1)));
  ending.join();
}

TEST(DataFolder, that_cannot_be_written_is_unavailable) {
  const auto folder = DataFolder::open("/proc/self/data");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Code::unavailable);
  EXPECT_THAT(folder.error().message, HasSubstr("data_dir"));
}

}  // namespace
}  // namespace cc::node
