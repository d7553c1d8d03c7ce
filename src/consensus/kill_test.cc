// kill -9 at any moment, snapshots going on: nothing that was acknowledged is lost.
//
// The one that is killed is this same program, started again with a filter that selects the test below
// that does nothing unless it is told a folder.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <random>
#include <set>

#include <spawn.h>

#include "base/text.h"
#include "consensus/log_fixture.h"

extern char** environ;

namespace cc::consensus {
namespace {

constexpr const char* kFolder = "CONSENSUS_TEST_FOLDER";
constexpr const char* kRound = "CONSENSUS_TEST_ROUND";
constexpr const char* kBytes = "CONSENSUS_TEST_BYTES";
constexpr const char* kSnapshots = "CONSENSUS_TEST_SNAPSHOTS";
constexpr int kAcknowledgements = 3;  // file descriptor: one number of eight bytes for each

Options options_in(const Path& folder, unsigned snapshot_after) {
  Options options;
  options.directory = folder / "raft";
  options.min_free_disk = 0;
  options.snapshot_after_entries = snapshot_after;
  options.trailing_entries = 10;
  return options;
}

std::string command_of(std::uint64_t id, std::size_t bytes) {
  std::string command = std::to_string(id) + " ";
  command.resize(std::max(command.size(), bytes), 'x');
  return command;
}

// Proposes, sixteen at a time, numbers that no other round has, until it is killed.
TEST(KillTest, DISABLED_Victim) {
  const char* folder = std::getenv(kFolder);
  if (folder == nullptr) GTEST_SKIP() << "only for the tests below";
  const std::uint64_t round = parse_uint(std::getenv(kRound), "round").value();
  const std::size_t bytes = parse_uint(std::getenv(kBytes), "bytes").value();
  ListMachine machine(Path(folder) / "state");
  auto log = Log::open(
      options_in(folder, static_cast<unsigned>(parse_uint(std::getenv(kSnapshots), "entries").value())), machine);
  ASSERT_TRUE(log) << log.error().message;
  std::uint64_t next = round * 1'000'000;  // guarded by mutex, so that numbers are proposed in their order
  std::recursive_mutex mutex;              // an answer may run within propose()
  std::function<void()> propose = [&] {
    const std::lock_guard lock(mutex);
    const std::uint64_t id = ++next;
    (*log)->propose(command_of(id, bytes), std::chrono::seconds(60), [&, id](Result<std::string> result) {
      if (!result || ::write(kAcknowledgements, &id, sizeof id) != sizeof id) std::abort();
      propose();
    });
  };
  for (int i = 0; i < 16; ++i)
    propose();
  ::pause();
}

struct Mix {
  std::size_t bytes;  // of a command
  unsigned snapshot_after;
  int rounds;
  std::size_t most;  // acknowledged in a round
};

class KillMany : public testing::TestWithParam<Mix> {
 protected:
  // Runs a victim until it has acknowledged so many, and a little longer; answers all that it acknowledged.
  std::vector<std::uint64_t> kill_one(int round, std::size_t after) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::setenv(kFolder, folder.path().c_str(), 1);
    ::setenv(kRound, std::to_string(round).c_str(), 1);
    ::setenv(kBytes, std::to_string(GetParam().bytes).c_str(), 1);
    ::setenv(kSnapshots, std::to_string(GetParam().snapshot_after).c_str(), 1);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], kAcknowledgements);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    std::string filter = "--gtest_filter=KillTest.DISABLED_Victim";
    std::string disabled = "--gtest_also_run_disabled_tests";
    char* arguments[] = {self.data(), filter.data(), disabled.data(), nullptr};
    pid_t victim = 0;
    EXPECT_EQ(::posix_spawn(&victim, self.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);

    std::vector<std::uint64_t> acknowledged;
    std::uint64_t id = 0;
    while (::read(ends[0], &id, sizeof id) == sizeof id) {
      acknowledged.push_back(id);
      if (acknowledged.size() == after) ::kill(victim, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(victim, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the victim ended by itself";
    return acknowledged;
  }

  TempDirectory folder;
  const unsigned seed = std::random_device{}();
  std::mt19937 random{seed};
};

TEST_P(KillMany, NothingAcknowledgedIsLostOrDoneTwice) {
  const Mix mix = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Path state = folder.path() / "state";
  std::vector<std::uint64_t> acknowledged;
  Index snapshot = 0;
  for (int round = 1; round <= mix.rounds; ++round) {
    const std::size_t after = std::uniform_int_distribution<std::size_t>(1, mix.most)(random);
    for (const std::uint64_t id : kill_one(round, after))
      acknowledged.push_back(id);

    if (round % 4 == 0) std::filesystem::remove(state);  // the log has everything, or its snapshot
    ListMachine machine(state);
    auto log = Log::open(options_in(folder.path(), mix.snapshot_after), machine);
    ASSERT_TRUE(log) << log.error().message << " in round " << round;
    std::vector<std::uint64_t> done;
    for (const auto& [index, command] : machine.commands()) {
      done.push_back(std::strtoull(command.c_str(), nullptr, 10));
    }
    const std::set<std::uint64_t> once(done.begin(), done.end());
    EXPECT_EQ(once.size(), done.size()) << "done twice";
    EXPECT_TRUE(std::ranges::is_sorted(done));
    for (const std::uint64_t id : acknowledged)
      ASSERT_TRUE(once.contains(id)) << id << " lost in round " << round;
    snapshot = (*log)->status().snapshot;
  }
  EXPECT_EQ(snapshot > 0, mix.snapshot_after < 10'000);
}

// Small commands with a snapshot every few batches; and large ones that fill segment after segment.
INSTANTIATE_TEST_SUITE_P(Commands, KillMany,
                         testing::Values(Mix{.bytes = 20, .snapshot_after = 40, .rounds = 20, .most = 400},
                                         Mix{.bytes = 100'000, .snapshot_after = 1'000'000, .rounds = 10, .most = 60}));

}  // namespace
}  // namespace cc::consensus
