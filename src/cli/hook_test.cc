#include "cli/hook.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

namespace cc::cli {
namespace {

Result<int> run(const std::string& command, const std::map<std::string, std::string>& variables, const Path& input) {
  HeldSignals signals;
  return run_hook(command, variables, input, signals);
}

TEST(Hook, gets_variables_and_the_content_as_its_input) {
  const TempDirectory folder;
  const Path input = folder.path() / "in", output = folder.path() / "out";
  ASSERT_TRUE(write_file(input, "pool: 5\n"));
  const auto status = run("{ echo \"$CONFIG_CENTER_KEY\"; cat; } > " + output.string(),
                          {{"CONFIG_CENTER_KEY", "dev/shop/default/a b.yaml"}}, input);
  EXPECT_EQ(status.value(), 0);
  EXPECT_EQ(read_file(output).value(), "dev/shop/default/a b.yaml\npool: 5\n");
}

TEST(Hook, keeps_the_environment_and_replaces_what_is_given) {
  const TempDirectory folder;
  ::setenv("CONFIG_CENTER_KEY", "old", 1);
  const Path output = folder.path() / "out";
  ASSERT_TRUE(run("test -n \"$PATH\" && echo \"$CONFIG_CENTER_KEY\" > " + output.string(),
                  {{"CONFIG_CENTER_KEY", "new"}}, "/dev/null"));
  ::unsetenv("CONFIG_CENTER_KEY");
  EXPECT_EQ(read_file(output).value(), "new\n");
}

TEST(Hook, tells_how_it_ended) {
  EXPECT_EQ(run("exit 3", {}, "/dev/null").value(), 3);
  EXPECT_EQ(run("kill -TERM $$", {}, "/dev/null").value(), 128 + 15);
}

TEST(Hook, is_asked_to_end_when_its_parent_is) {
  const TempDirectory folder;
  const Path out = folder.path() / "out";
  const pid_t parent = ::fork();
  if (parent == 0) {
    // The hook tells its parent's number from $PPID, and waits for what it gets of it.
    run("trap 'echo asked > " + out.string() + "; exit 0' TERM; kill -TERM $PPID; while :; do sleep 0.01; done", {},
        "/dev/null")
        .value();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_EQ(read_file(out).value(), "asked\n");
}

}  // namespace
}  // namespace cc::cli
