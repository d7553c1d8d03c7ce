// What the log makes of the disk it finds.
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "consensus/log_fixture.h"

namespace cc::consensus {
namespace {

using testing::HasSubstr;

class RecoveryTest : public LogFixture {
 protected:
  void make_log(int commands, const Path& machine_file = {}) {
    ListMachine machine(machine_file);
    auto log = opened(options(), machine);
    ASSERT_TRUE(log);
    propose_many(*log, 0, commands);
  }
  Options options_for(const Path& directory) const {
    Options changed = options();
    changed.directory = directory;
    return changed;
  }
  static void flip_byte(const Path& file, std::uintmax_t at) {
    std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekg(static_cast<std::streamoff>(at));
    const char old = static_cast<char>(bytes.get());
    bytes.seekp(static_cast<std::streamoff>(at));
    bytes.put(static_cast<char>(old ^ 0x55));
    ASSERT_TRUE(bytes.good());
  }
  // Where the entries of an open segment end.
  static std::uintmax_t end_of_data(const Path& segment) {
    return read_file(segment).value().find_last_not_of('\0') + 1;
  }
};

TEST_F(RecoveryTest, AMissingStateIsMadeAgainFromTheLog) {
  make_log(100);
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  ASSERT_EQ(machine.commands().size(), 100u);
  EXPECT_EQ(texts(machine).back(), "command 99");
}

TEST_F(RecoveryTest, AStateThatKeptEverythingIsNotAppliedToAgain) {
  make_log(100, state());
  ListMachine machine(state());
  machine.on_apply = [](std::string_view command) {
    EXPECT_EQ(command, "new");
    return Result<>{};
  };
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_TRUE(ask(*log, "new").get());
  ASSERT_TRUE(log->settle());
  EXPECT_EQ(machine.commands().size(), 101u);
}

TEST_F(RecoveryTest, AStateThatIsBehindCatchesUp) {
  make_log(100, state());
  std::filesystem::copy(state(), folder.path() / "old");
  {
    ListMachine machine(state());
    auto log = opened(options(), machine);
    ASSERT_TRUE(log);
    propose_many(*log, 100, 50);
  }
  ListMachine machine(folder.path() / "old");
  ASSERT_EQ(machine.commands().size(), 100u);
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  ASSERT_EQ(machine.commands().size(), 150u);
  EXPECT_EQ(texts(machine).back(), "command 149");
}

TEST_F(RecoveryTest, AStateAheadOfTheLogIsRefusedAndTheMessageSaysWhatToDo) {
  make_log(10, state());
  std::filesystem::copy(raft(), folder.path() / "old", std::filesystem::copy_options::recursive);
  {
    ListMachine machine(state());
    auto log = opened(options(), machine);
    ASSERT_TRUE(log);
    propose_many(*log, 10, 10);
  }
  ListMachine machine(state());
  const Error error = refused(options_for(folder.path() / "old"), machine);
  EXPECT_EQ(error.code, Code::corruption);
  EXPECT_THAT(error.message, HasSubstr("restore"));
  EXPECT_EQ(machine.commands().size(), 20u);
}

TEST_F(RecoveryTest, AStateWithoutALogIsRefusedAndNoNewLogIsMade) {
  make_log(10, state());
  std::filesystem::remove_all(raft());
  ListMachine machine(state());
  for (int i = 0; i < 2; ++i) {
    const Error error = refused(options(), machine);
    EXPECT_EQ(error.code, Code::corruption);
    EXPECT_THAT(error.message, HasSubstr("backup"));
  }
}

TEST_F(RecoveryTest, TheStateOfAnotherLogIsRefused) {
  make_log(100, state());
  ListMachine other;
  {
    auto log = opened(options_for(folder.path() / "other"), other);
    ASSERT_TRUE(log);
    propose_many(*log, 1000, 50);
  }
  const Error error = refused(options(), other);
  EXPECT_EQ(error.code, Code::corruption);
  EXPECT_THAT(error.message, HasSubstr("another log"));
  ListMachine machine(state());
  EXPECT_TRUE(opened(options(), machine));
}

TEST_F(RecoveryTest, TheFolderOfAnotherNodeIsRefused) {
  make_log(1);
  ListMachine machine;
  Options wrong = options();
  wrong.node_id = 2;
  const Error error = refused(wrong, machine);
  EXPECT_EQ(error.code, Code::conflict);
  EXPECT_THAT(error.message, HasSubstr("node 1"));
}

TEST_F(RecoveryTest, AFolderThatCannotBeWrittenIsUnavailable) {
  ListMachine machine;
  EXPECT_EQ(refused(options_for("/proc/self/raft"), machine).code, Code::unavailable);
}

TEST_F(RecoveryTest, ALogThatLacksItsBeginningIsRefused) {
  make_log(10);
  std::filesystem::remove(raft() / "0000000000000001-0000000000000001");
  ListMachine machine;
  const Error error = refused(options(), machine);
  EXPECT_EQ(error.code, Code::corruption);
  EXPECT_THAT(error.message, HasSubstr("beginning"));
}

TEST_F(RecoveryTest, ADamagedSegmentIsRefusedAndLeftAlone) {
  make_log(100);
  const Path segment = file_in(raft(), "0000000000000002-");
  flip_byte(segment, std::filesystem::file_size(segment) / 2);
  ListMachine machine;
  const Error error = refused(options(), machine);
  EXPECT_EQ(error.code, Code::corruption);
  EXPECT_THAT(error.message, HasSubstr(segment.filename().string()));
  EXPECT_TRUE(std::filesystem::exists(segment));
}

TEST_F(RecoveryTest, ACrashWhileMakingTheFirstLogIsNoObstacle) {
  // The first thing that libraft writes: format 1, version 1, term 1, no vote.
  std::string metadata(32, '\0');
  metadata[0] = metadata[8] = metadata[16] = 1;
  ASSERT_TRUE(make_directories(raft(), 0700));
  ASSERT_TRUE(write_file(raft() / "metadata1", metadata));
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  EXPECT_TRUE(ask(*log, "hello").get());
}

TEST_F(RecoveryTest, ACrashLosesNothing) {
  ListMachine machine;
  auto log = opened(options(), machine);
  ASSERT_TRUE(log);
  propose_many(*log, 0, 100);
  const Path image = crash_image();
  ListMachine after;
  auto reopened = opened(options_for(image), after);
  ASSERT_TRUE(reopened);
  EXPECT_EQ(texts(after), texts(machine));
  EXPECT_TRUE(ask(*reopened, "next").get());
}

// Each leaves the file of the log in another state that a crash in the middle of the last write can leave: some of its
// sectors are there, others are still zero.
class TornWrite : public RecoveryTest {
 protected:
  void SetUp() override {
    ListMachine machine;
    auto log = opened(options(), machine);
    ASSERT_TRUE(log);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(ask(*log, std::to_string(i) + std::string(2000, 'x')).get());
      if (i == 8) end_before = end_of_data(file_in(crash_image(), "open-1"));
    }
    image = crash_image();
    segment = file_in(image, "open-1");
    end = end_of_data(segment);
  }
  void expect_commands(std::size_t count) {
    ListMachine machine;
    {
      auto log = opened(options_for(image), machine);
      ASSERT_TRUE(log);
      EXPECT_EQ(machine.commands().size(), count);
      EXPECT_TRUE(ask(*log, "next").get());
    }
    ListMachine again;
    auto log = opened(options_for(image), again);
    ASSERT_TRUE(log);
    EXPECT_EQ(texts(again), texts(machine));
    EXPECT_EQ(texts(again).back(), "next");
  }
  // Refused, and nothing is changed, however often it is tried.
  void expect_damaged() {
    const std::string was = read_file(segment).value();
    for (int i = 0; i < 2; ++i) {
      ListMachine machine;
      const Error error = refused(options_for(image), machine);
      EXPECT_EQ(error.code, Code::corruption);
      EXPECT_THAT(error.message, HasSubstr(segment.filename().string()));
      EXPECT_TRUE(read_file(segment).value() == was);
    }
  }
  void zero(std::uintmax_t from, std::uintmax_t to) const {
    std::fstream bytes(segment, std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekp(static_cast<std::streamoff>(from));
    bytes << std::string(static_cast<std::size_t>(to - from), '\0');
  }
  static std::uintmax_t up_to_sector(std::uintmax_t at) { return (at + 511) / 512 * 512; }

  Path image, segment;
  std::uintmax_t end = 0, end_before = 0;  // of the data, and before the last write
};

TEST_F(TornWrite, TheLastSectorsAreMissing) {
  zero(up_to_sector(end - 1000), end);
  expect_commands(9);
}

TEST_F(TornWrite, OnlyTheLastSectorsAreThere) {
  zero(end_before, up_to_sector(end_before) + 1024);
  expect_commands(9);
}

TEST_F(TornWrite, OneSectorInTheMiddleIsMissing) {
  zero(up_to_sector(end_before) + 512, up_to_sector(end_before) + 1024);
  expect_commands(9);
}

TEST_F(TornWrite, NothingOfItIsThere) {
  zero(end_before, end);
  expect_commands(9);
}

TEST_F(TornWrite, TheFileEndsInTheMiddleOfTheData) {
  std::filesystem::resize_file(segment, end - 1);
  expect_commands(9);
}

TEST_F(TornWrite, TheFileEndsInTheMiddleOfAHeader) {
  std::filesystem::resize_file(segment, end_before + 20);
  expect_commands(9);
}

TEST_F(TornWrite, TheFileEndsRightBehindTheLastEntryButForAFewBytes) {
  const std::uintmax_t padded = (end + 7) / 8 * 8;
  std::filesystem::resize_file(segment, padded + 8);
  expect_commands(10);
}

TEST_F(TornWrite, TheHeaderPromisesMoreThanTheFileHas) {
  std::fstream bytes(segment, std::ios::binary | std::ios::in | std::ios::out);
  bytes.seekp(static_cast<std::streamoff>((end + 7) / 8 * 8 + 8));
  bytes.write("\xff\xff\x01\0\0\0\0\0", 8);  // a count, and nothing that it counts
  bytes.close();
  std::filesystem::resize_file(segment, (end + 7) / 8 * 8 + 64);
  expect_commands(10);
}

TEST_F(TornWrite, NothingOfTheFirstWriteArrived) {
  std::filesystem::resize_file(segment, 0);
  std::filesystem::resize_file(segment, 8u << 20);
  expect_commands(0);
}

TEST_F(TornWrite, AnAllocatedSegmentWasNeverWritten) {
  std::filesystem::resize_file(image / "open-2", 0);
  expect_commands(10);
}

TEST_F(TornWrite, MendingCanItselfBeCutShort) {
  std::filesystem::resize_file(segment, (end + 7) / 8 * 8);
  expect_commands(10);
}

// What no torn write explains is damage to entries that may have been acknowledged.
TEST_F(TornWrite, AFlippedBitInTheLastWriteIsDamage) {
  flip_byte(segment, end - 100);
  expect_damaged();
}

TEST_F(TornWrite, AFlippedBitInTheFirstWriteIsDamageAndWhatFollowsIsKept) {
  flip_byte(segment, 500);
  expect_damaged();
}

TEST_F(TornWrite, AFlippedBitInAHeaderIsDamage) {
  flip_byte(segment, end_before + 9);
  expect_damaged();
}

TEST_F(TornWrite, ALostSectorBeforeTheLastWriteIsDamage) {
  zero(1024, 1536);
  expect_damaged();
}

TEST_F(TornWrite, ALostBeginningIsDamage) {
  zero(0, 512);
  expect_damaged();
}

}  // namespace
}  // namespace cc::consensus
