// The log fails what is in flight, says why, and heals by itself.
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <atomic>
#include <fstream>

#include "consensus/log_fixture.h"

namespace cc::consensus {
namespace {

using testing::HasSubstr;

class TroubleTest : public LogFixture {
 protected:
  static void expect_unavailable(const Result<std::string>& result, std::string_view why) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::unavailable);
    EXPECT_THAT(result.error().message, HasSubstr(std::string(why)));
  }
};

TEST_F(TroubleTest, ACommandThatCannotBeAppliedIsAppliedLater) {
  ListMachine machine;
  std::atomic<bool> broken = true;
  machine.on_apply = [&](std::string_view command) -> Result<> {
    if (command == "poison" && broken) return fail(Code::internal, "the moon is full");
    return {};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_TRUE(ask(*log, "before").get());
  expect_unavailable(ask(*log, "poison").get(), "the moon is full");
  ASSERT_TRUE(eventually([&] { return machine.roll_backs >= 3; }));  // it keeps trying
  EXPECT_THAT(log->status().trouble, HasSubstr("the moon is full"));
  EXPECT_EQ(log->status().role, Role::unavailable);
  EXPECT_FALSE(log->stale()) << "nobody else acknowledges anything";
  expect_unavailable(ask(*log, "meanwhile").get(), "the moon is full");
  broken = false;
  ASSERT_TRUE(accepted_at_last(*log, "after"));
  EXPECT_EQ(texts(machine), (std::vector<std::string>{"before", "poison", "after"}));
  EXPECT_EQ(log->status().trouble, "");
}

TEST_F(TroubleTest, ABatchThatCannotBeDeliveredIsDeliveredLater) {
  ListMachine machine;
  std::atomic<int> failures = 0;
  machine.on_deliver = [&]() -> Result<> {
    if (failures > 0 && failures-- > 0) return fail(Code::unavailable, "nobody is there");
    return {};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_TRUE(ask(*log, "before").get());
  failures = 3;
  expect_unavailable(ask(*log, "unlucky").get(), "nobody is there");
  ASSERT_TRUE(accepted_at_last(*log, "after"));
  EXPECT_EQ(texts(machine), (std::vector<std::string>{"before", "unlucky", "after"}));
}

TEST_F(TroubleTest, WhatWasAnsweredAndCouldNotBeCommittedIsCommittedLater) {
  ListMachine machine;
  std::atomic<bool> full = false;
  machine.on_commit = [&]() -> Result<> {
    if (full) return fail(Code::unavailable, "no room for the state");
    return {};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_TRUE(ask(*log, "before").get());
  ASSERT_TRUE(log->settle());
  full = true;
  EXPECT_TRUE(ask(*log, "answered").get());  // the log has it
  const auto settled = log->settle();
  ASSERT_FALSE(settled);
  EXPECT_THAT(settled.error().message, HasSubstr("no room for the state"));
  EXPECT_EQ(texts(machine), std::vector<std::string>{"before"});
  full = false;
  ASSERT_TRUE(accepted_at_last(*log, "after"));
  ASSERT_TRUE(log->settle());
  EXPECT_EQ(texts(machine), (std::vector<std::string>{"before", "answered", "after"}));
}

TEST_F(TroubleTest, WhatComesBeforeAPoisonedCommandIsNotRolledBackWithIt) {
  ListMachine machine;
  std::atomic<bool> broken = true;
  machine.on_apply = [&](std::string_view command) -> Result<> {
    if (command == "poison" && broken) return fail(Code::internal, "the moon is full");
    return {};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  std::vector<Reply> answers;
  for (const char* command : {"one", "two", "three", "poison"})
    answers.push_back(ask(*log, command));
  EXPECT_FALSE(answers.back().get());
  ASSERT_TRUE(eventually([&] { return machine.roll_backs >= 3; }));
  EXPECT_EQ(texts(machine), (std::vector<std::string>{"one", "two", "three"}));
  broken = false;
  ASSERT_TRUE(accepted_at_last(*log, "after"));
}

TEST_F(TroubleTest, EverythingInFlightIsAnsweredWhenTheLogStops) {
  ListMachine machine;
  std::atomic<bool> broken = false;
  machine.on_apply = [&](std::string_view) -> Result<> {
    if (broken) return fail(Code::unavailable, "stop");
    return {};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  std::vector<Reply> answers;
  for (int i = 0; i < 3000; ++i) {
    if (i == 1000) broken = true;
    answers.push_back(ask(*log, std::to_string(i)));
  }
  std::size_t accepted = 0;
  for (auto& answer : answers) {
    if (answer.get()) ++accepted;
  }
  EXPECT_LT(accepted, 3000u);
  broken = false;
  ASSERT_TRUE(accepted_at_last(*log, "healed"));
  EXPECT_GT(machine.commands().size(), accepted);
}

TEST_F(TroubleTest, CanBeShutDownWhileItIsInTrouble) {
  ListMachine machine;
  machine.on_apply = [](std::string_view) -> Result<> { return fail(Code::unavailable, "never"); };
  Options slow = options();
  slow.reopen_delay = std::chrono::hours(1);
  auto log = opened(slow, machine);
  ASSERT_TRUE(log);
  EXPECT_FALSE(ask(*log, "x").get());
  log.reset();
  EXPECT_EQ(machine.commands().size(), 0u);
}

TEST_F(TroubleTest, ProposalsAreRefusedBeforeTheDiskIsFull) {
  ListMachine machine;
  Options demanding = options();
  demanding.min_free_disk = ~std::uint64_t{0};
  auto log = opened(demanding, machine);
  ASSERT_TRUE(log);
  expect_unavailable(ask(*log, "x").get(), "make room");
  EXPECT_EQ(log->status().role, Role::leader);
  EXPECT_THAT(log->status().trouble, HasSubstr("make room"));
}

// The file size limit of the process stands in for a disk that takes no more.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int) = nullptr;
};

TEST_F(TroubleTest, HealsWhenAFileThatCouldNotGrowCanGrowAgain) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  std::vector<std::string> acknowledged;
  const auto propose = [&](int i) {
    const std::string command = std::to_string(i) + std::string(300'000, 'x');
    const auto result = ask(*log, command).get();
    if (result) acknowledged.push_back(command);
    return result;
  };
  ASSERT_TRUE(propose(0));
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(raft() / "open-3"); }));
  {
    const FileSizeLimit limit(2u << 20);
    int next = 1;
    while (propose(next))
      ASSERT_LT(next++, 100);
    EXPECT_GT(acknowledged.size(), 3u);
    for (int i = 0; i < 10; ++i)
      expect_unavailable(propose(++next), "disk");
  }
  ASSERT_TRUE(accepted_at_last(*log, "healed"));
  log.reset();
  ListMachine again;
  auto reopened = opened(options(), again);
  ASSERT_TRUE(reopened);
  const auto all = texts(again);
  ASSERT_GE(all.size(), acknowledged.size() + 1);
  for (std::size_t i = 0; i < acknowledged.size(); ++i)
    EXPECT_TRUE(all[i] == acknowledged[i]) << i;
  EXPECT_EQ(all.back(), "healed");
}

// A small disk of its own; only root can have one.
class FullDiskTest : public TroubleTest {
 protected:
  void SetUp() override {
    disk = folder.path() / "disk";
    std::filesystem::create_directory(disk);
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=48m") != 0) GTEST_SKIP() << "cannot mount a small disk";
    mounted = true;
  }
  void TearDown() override {
    if (mounted) ::umount2(disk.c_str(), MNT_DETACH);
  }
  Options options_on_disk() const {
    Options changed = options();
    changed.directory = disk / "raft";
    return changed;
  }
  void fill(std::uintmax_t leave) const {
    std::ofstream ballast(disk / "ballast", std::ios::binary);
    const std::string page(4096, 'b');
    while (std::filesystem::space(disk).available > leave && ballast.flush())
      ballast << page;
  }
  Path disk;
  bool mounted = false;
};

TEST_F(FullDiskTest, HealsWhenThereIsRoomAgain) {
  ListMachine machine;
  auto log = opened(options_on_disk(), machine);
  ASSERT_TRUE(log);
  std::vector<std::string> acknowledged;
  const auto propose = [&](int i) {
    const std::string command = std::to_string(i) + std::string(100'000, 'x');
    const bool accepted = ask(*log, command).get().has_value();
    if (accepted) acknowledged.push_back(command);
    return accepted;
  };
  int next = 0;
  ASSERT_TRUE(propose(next++));
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(options_on_disk().directory / "open-3"); }));
  fill(0);
  while (propose(next))
    ASSERT_LT(next++, 1000);
  for (int i = 0; i < 300; ++i)
    propose(next++);
  std::filesystem::remove(disk / "ballast");
  ASSERT_TRUE(accepted_at_last(*log, "healed"));
  log.reset();
  ListMachine again;
  auto reopened = opened(options_on_disk(), again);
  ASSERT_TRUE(reopened);
  const auto all = texts(again);
  std::size_t found = 0;
  for (const std::string& command : all) {
    if (found < acknowledged.size() && command == acknowledged[found]) ++found;
  }
  EXPECT_EQ(found, acknowledged.size());
  EXPECT_EQ(all.back(), "healed");
}

TEST_F(FullDiskTest, TheGuardRefusesAndLetsGoByItself) {
  ListMachine machine;
  Options guarded = options_on_disk();
  guarded.min_free_disk = 4u << 20;
  auto log = opened(guarded, machine);
  ASSERT_TRUE(log);
  EXPECT_TRUE(ask(*log, "before").get());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(guarded.directory / "open-3"); }));
  fill(2u << 20);
  expect_unavailable(ask(*log, "full").get(), "make room");
  std::filesystem::remove(disk / "ballast");
  ASSERT_TRUE(accepted_at_last(*log, "after"));
  EXPECT_EQ(texts(machine), (std::vector<std::string>{"before", "after"}));
  EXPECT_EQ(log->status().trouble, "");
}

}  // namespace
}  // namespace cc::consensus
