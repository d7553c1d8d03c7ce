#include "deploy/maintenance.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "deploy/folder_host.h"
#include "deploy/run.h"
#include "deploy/test_installation.h"

namespace cc::deploy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> names_of(const Stages& stages) {
  std::vector<std::string> names(stages.size());
  std::ranges::transform(stages, names.begin(), &Stage::name);
  return names;
}

TEST(Updates, come_to_replicas_before_their_primaries_and_each_is_waited_for) {
  const Topology topology = whole_topology();
  const Stages stages = updates_stages(topology, test_secrets(), {"db1", "db2", "app1", "app2", "lb1", "monitor1"});
  EXPECT_THAT(names_of(stages),
              ElementsAre("updates of lb1", "after lb1", "updates of monitor1", "after monitor1", "updates of db2",
                          "after db2", "updates of nodes", "after the nodes", "updates of db1", "after db1"));
  EXPECT_TRUE(stages[6].one_host_after_the_other);
  EXPECT_THAT(stages[6].comes_last, HasSubstr("leader"));
  EXPECT_TRUE(
      std::ranges::any_of(stages[5].steps, [](const Step& step) { return step.name == "replication of PostgreSQL"; }));
}

// A host on which apt-get and apt-cache say what they say on Debian 12.
class UpdatesOfAHost : public testing::Test {
 protected:
  UpdatesOfAHost() {
    program("apt-cache", "printf 'haproxy\\n  Depends: libssl3\\nlibssl3\\n'\n");
    program("apt-get",
            "echo 'Reading package lists...'\n"
            "echo 'Inst haproxy [2.6.12-1+deb12u1] (2.6.12-1+deb12u4 Debian-Security:12/oldstable-security [amd64])'\n"
            "echo 'Inst libssl3 [3.0.15-1] (3.0.17-1 Debian-Security:12/oldstable-security [amd64]) []'\n"
            "echo 'Inst vim [2:9.0.1] (2:9.0.2 Debian-Security:12/oldstable-security [amd64])'\n"
            "echo 'Inst keepalived [1:2.2.6] (1:2.2.7 Debian:12.9/oldstable [amd64])'\n"
            "echo 'Conf haproxy (2.6.12-1+deb12u4 Debian-Security:12/oldstable-security [amd64])'\n");
  }

  void program(const std::string& name, const std::string& script) const {
    EXPECT_TRUE(make_directories(directory.path() / "bin"));
    EXPECT_TRUE(write_file(directory.path() / "bin" / name, "#!/bin/sh\n" + script, 0755));
  }

  std::string due(const std::string& host = "lb1") {
    const Topology topology = whole_topology();
    Stage stage = updates_stage(topology, test_secrets());
    Step step = *std::ranges::find(stage.steps, host, &Step::host);
    step.check = "PATH=" + (directory.path() / "bin").string() + ":$PATH\n" + step.check;
    const auto planned =
        plan({.topology = topology,
              .connect = [&](const Host&) { return std::make_unique<FolderHost>(directory.path(), true); },
              .clock = clock},
             {{.name = "updates", .steps = {step}}});
    EXPECT_TRUE(planned && planned->size() == 1);
    return planned->front().message;
  }

  TempDirectory directory;
  SystemClock clock;
};

TEST_F(UpdatesOfAHost, are_those_for_security_of_what_runs_there_and_what_that_needs) {
  const std::string told = due();
  EXPECT_THAT(told, HasSubstr("haproxy [2.6.12-1+deb12u1] (2.6.12-1+deb12u4"));
  EXPECT_THAT(told, HasSubstr("libssl3"));
  EXPECT_THAT(told, Not(HasSubstr("vim")));
  EXPECT_THAT(told, Not(HasSubstr("keepalived")));
}

TEST_F(UpdatesOfAHost, are_of_the_libraries_of_a_node_too) {
  program("ldd", "printf '\\tlinux-vdso.so.1 (0x1)\\n\\tlibssl.so.3 => /lib/x86_64-linux-gnu/libssl.so.3 (0x2)\\n'\n");
  program("dpkg",
          "for each in \"$@\"; do [ $each = /usr/lib/x86_64-linux-gnu/libssl.so.3 ] && "
          "echo \"libssl3:amd64: $each\"; done\n");
  program("apt-cache", "for each in \"$@\"; do case $each in lib*) echo $each;; esac; done\n");
  EXPECT_THAT(due("app1"), HasSubstr("libssl3"));
  EXPECT_THAT(due("lb1"), Not(HasSubstr("libssl3")));
}

TEST_F(UpdatesOfAHost, are_none_when_there_is_nothing_newer) {
  program("apt-get", "echo 'Reading package lists...'\n");
  EXPECT_THAT(due(), IsEmpty());
}

}  // namespace
}  // namespace cc::deploy
