#include "cli/hook.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace cc::cli {
namespace {

TEST(Hook, gets_variables_and_the_content_as_its_input) {
  const TempDirectory folder;
  const Path input = folder.path() / "in", output = folder.path() / "out";
  ASSERT_TRUE(write_file(input, "pool: 5\n"));
  const auto status = run_hook("{ echo \"$CONFIG_CENTER_KEY\"; cat; } > " + output.string(),
                               {{"CONFIG_CENTER_KEY", "dev/shop/default/a b.yaml"}}, input);
  EXPECT_EQ(status.value(), 0);
  EXPECT_EQ(read_file(output).value(), "dev/shop/default/a b.yaml\npool: 5\n");
}

TEST(Hook, keeps_the_environment_and_replaces_what_is_given) {
  const TempDirectory folder;
  ::setenv("CONFIG_CENTER_KEY", "old", 1);
  const Path output = folder.path() / "out";
  ASSERT_TRUE(run_hook("test -n \"$PATH\" && echo \"$CONFIG_CENTER_KEY\" > " + output.string(),
                       {{"CONFIG_CENTER_KEY", "new"}}, "/dev/null"));
  ::unsetenv("CONFIG_CENTER_KEY");
  EXPECT_EQ(read_file(output).value(), "new\n");
}

TEST(Hook, tells_how_it_ended) {
  EXPECT_EQ(run_hook("exit 3", {}, "/dev/null").value(), 3);
  EXPECT_EQ(run_hook("kill -TERM $$", {}, "/dev/null").value(), 128 + 15);
}

}  // namespace
}  // namespace cc::cli
