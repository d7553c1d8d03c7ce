#include <atomic>
#include <fstream>

#include "consensus/log_fixture.h"

namespace cc::consensus {
namespace {

using testing::HasSubstr;

class SnapshotTest : public LogFixture {
 protected:
  Options often(unsigned entries = 20) const {
    Options changed = options();
    changed.snapshot_after_entries = entries;
    changed.trailing_entries = 5;
    return changed;
  }
  static bool snapshot_taken(Log& log, std::uint64_t count = 1) {
    return eventually([&] { return log.status().snapshots_taken >= count; });
  }
};

TEST_F(SnapshotTest, OneIsTakenAfterSoManyEntriesAndTheLogBeforeItForgotten) {
  ListMachine machine;
  auto log = opened(often(), machine);
  ASSERT_TRUE(log);
  propose_many(*log, 0, 30);
  ASSERT_TRUE(snapshot_taken(*log));
  const Status status = log->status();
  EXPECT_GT(status.snapshot, 0u);
  EXPECT_GT(status.first, 1u);
  EXPECT_GT(status.snapshot_bytes, 0u);
}

TEST_F(SnapshotTest, OneIsTakenAfterSoManyBytes) {
  ListMachine machine;
  Options by_bytes = options();
  by_bytes.snapshot_after_bytes = 100'000;
  auto log = opened(by_bytes, machine);
  ASSERT_TRUE(log);
  EXPECT_TRUE(ask(*log, std::string(60'000, 'a')).get());
  EXPECT_EQ(log->status().snapshots_taken, 0u);
  EXPECT_TRUE(ask(*log, std::string(60'000, 'b')).get());
  EXPECT_TRUE(snapshot_taken(*log));
}

TEST_F(SnapshotTest, OneIsTakenWhenAskedFor) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  propose_many(*log, 0, 3);
  log->snapshot_now();
  ASSERT_TRUE(snapshot_taken(*log));
  EXPECT_GE(log->status().snapshot, 4u);
}

TEST_F(SnapshotTest, ProposalsAreTakenWhileOneIsRead) {
  ListMachine machine;
  std::promise<void> go;
  machine.on_write_snapshot = [wait = go.get_future().share()] {
    wait.wait();
    return Result<>{};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  propose_many(*log, 0, 10);
  log->snapshot_now();
  propose_many(*log, 10, 100);
  EXPECT_EQ(log->status().snapshots_taken, 0u);
  go.set_value();
  ASSERT_TRUE(snapshot_taken(*log));
  EXPECT_LT(log->status().snapshot, 100u);
}

TEST_F(SnapshotTest, AMissingStateIsRestoredFromItAndTheLogAfterIt) {
  {
    ListMachine machine;
    auto log = opened(often(), machine);
    ASSERT_TRUE(log);
    for (int i = 0; i < 110; ++i)
      propose_many(*log, i, 1);
    ASSERT_TRUE(snapshot_taken(*log, 3));
    EXPECT_GT(log->status().first, 2u);
  }
  ListMachine machine;
  auto log = opened(often(), machine);
  ASSERT_TRUE(log);
  EXPECT_EQ(machine.restores, 1);
  const auto all = texts(machine);
  ASSERT_EQ(all.size(), 110u);
  for (int i = 0; i < 110; ++i)
    EXPECT_EQ(all[static_cast<std::size_t>(i)], "command " + std::to_string(i));
  EXPECT_TRUE(ask(*log, "next").get());
}

TEST_F(SnapshotTest, AStateThatIsNewerIsNotReplacedByIt) {
  {
    ListMachine machine(state());
    auto log = opened(often(), machine);
    ASSERT_TRUE(log);
    propose_many(*log, 0, 30);
    ASSERT_TRUE(snapshot_taken(*log));
    propose_many(*log, 30, 10);
  }
  ListMachine machine(state());
  auto log = opened(often(), machine);
  ASSERT_TRUE(log);
  EXPECT_EQ(machine.restores, 0);
  EXPECT_EQ(machine.commands().size(), 40u);
}

TEST_F(SnapshotTest, AStateThatIsFarBehindIsReplacedByIt) {
  {
    ListMachine machine(state());
    auto log = opened(often(), machine);
    ASSERT_TRUE(log);
    propose_many(*log, 0, 5);
    std::filesystem::copy(state(), folder.path() / "old");
    for (int i = 5; i < 100; ++i)
      propose_many(*log, i, 1);
    ASSERT_TRUE(snapshot_taken(*log, 3));
  }
  ListMachine machine(folder.path() / "old");
  auto log = opened(often(), machine);
  ASSERT_TRUE(log);
  EXPECT_EQ(machine.restores, 1);
  EXPECT_EQ(machine.commands().size(), 100u);
}

TEST_F(SnapshotTest, TheStateOfAnotherLogIsRefused) {
  const auto grow = [&](Options where, int first, ListMachine& machine) {
    auto log = opened(std::move(where), machine);
    ASSERT_TRUE(log);
    propose_many(*log, first, 30);
    log->snapshot_now();
    ASSERT_TRUE(snapshot_taken(*log));
  };
  Options elsewhere = options();
  elsewhere.directory = folder.path() / "other";
  ListMachine machine;
  ListMachine other;
  grow(options(), 0, machine);
  grow(elsewhere, 1000, other);
  const Error error = refused(options(), other);
  EXPECT_EQ(error.code, Code::corruption);
  EXPECT_THAT(error.message, HasSubstr("another log"));
}

TEST_F(SnapshotTest, ADamagedOneIsRefused) {
  {
    ListMachine machine;
    auto log = opened(often(), machine);
    ASSERT_TRUE(log);
    for (int i = 0; i < 100; ++i)
      propose_many(*log, i, 1);
    ASSERT_TRUE(snapshot_taken(*log, 3));
  }
  for (const auto& entry : std::filesystem::directory_iterator(raft() / "snapshots")) {
    std::fstream bytes(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
    bytes.write("\x01\x02\x03\x04", 4);
  }
  ListMachine machine;
  EXPECT_EQ(refused(often(), machine).code, Code::corruption);
  EXPECT_EQ(machine.commands().size(), 0u);
}

TEST_F(SnapshotTest, AFailureToReadOneStopsNothing) {
  ListMachine machine;
  std::atomic<bool> broken = true;
  std::atomic<int> tries = 0;
  machine.on_write_snapshot = [&]() -> Result<> {
    ++tries;
    if (broken) return fail(Code::unavailable, "no");
    return {};
  };
  auto log = opened(often(), machine);
  ASSERT_TRUE(log);
  for (int i = 0; i < 100; ++i)
    propose_many(*log, i, 1);
  EXPECT_EQ(tries, 1);  // not again with each entry
  EXPECT_EQ(log->status().snapshots_taken, 0u);
  EXPECT_EQ(log->status().trouble, "");
  broken = false;
  log->snapshot_now();
  EXPECT_TRUE(snapshot_taken(*log));
}

TEST_F(SnapshotTest, TheLogCanBeClosedWhileOneIsRead) {
  ListMachine machine;
  std::promise<void> reading;
  std::promise<void> go;
  machine.on_write_snapshot = [&, wait = go.get_future().share()] {
    reading.set_value();
    wait.wait();
    return Result<>{};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  propose_many(*log, 0, 10);
  log->snapshot_now();
  reading.get_future().wait();
  std::thread closing([&] { log.reset(); });
  go.set_value();
  closing.join();
  ListMachine again;
  auto reopened = opened(options(), again);
  ASSERT_TRUE(reopened);
  EXPECT_EQ(again.commands().size(), 10u);
}

TEST_F(SnapshotTest, LargeEntriesAreNotKeptInMemoryAfterIt) {
  ListMachine machine;
  Options keeping = options();
  keeping.trailing_entries = 1000;
  auto log = opened(keeping, machine);
  ASSERT_TRUE(log);
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(ask(*log, std::string(3u << 20, 'x')).get());
  log->snapshot_now();
  ASSERT_TRUE(snapshot_taken(*log));
  EXPECT_TRUE(eventually([&] { return log->status().first > 5; }));
}

}  // namespace
}  // namespace cc::consensus
