#include "node/recover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/data_folder.h"

namespace cc::node {
namespace {

Settings settings_of(const Path& folder) {
  return load_settings({.config_path = "",
                        .flags = {{"data_dir", folder.string()}},
                        .environment = [](const char*) -> const char* { return nullptr; }})
      .value();
}

TEST(Recover, a_folder_without_a_log_is_refused_and_not_made) {
  const TempDirectory above;
  const Settings settings = settings_of(above.path() / "mistyped");
  for (const auto& refused : {end_of_log(settings), recover_group(settings)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::not_found);
  }
  EXPECT_FALSE(std::filesystem::exists(above.path() / "mistyped"));
}

TEST(Recover, the_folder_of_a_node_that_runs_is_refused) {
  const TempDirectory above;
  const auto running = DataFolder::open(above.path());
  ASSERT_TRUE(running);
  std::filesystem::create_directory(above.path() / "raft");
  const Settings settings = settings_of(above.path());
  for (const auto& refused : {end_of_log(settings), recover_group(settings)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
  }
}

}  // namespace
}  // namespace cc::node
