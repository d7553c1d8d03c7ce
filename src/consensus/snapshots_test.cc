#include "consensus/snapshots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "consensus/list_machine.h"

namespace cc::consensus {
namespace {

using testing::HasSubstr;

class SnapshotsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(snapshots.prepare()); }

  SnapshotReference write(Index index) {
    EXPECT_TRUE(machine.apply(index, "command " + std::to_string(index)));
    EXPECT_TRUE(machine.deliver([] {}));
    EXPECT_TRUE(machine.commit());
    return snapshots.write(*machine.begin_snapshot().value()).value();
  }

  TempDirectory folder;
  Snapshots snapshots{folder.path(), 0};
  ListMachine machine;
};

TEST_F(SnapshotsTest, AReferenceSaysWhatTheFileMustBe) {
  const SnapshotReference reference = write(7);
  EXPECT_EQ(reference.applied.index, 7u);
  EXPECT_EQ(reference.bytes, std::filesystem::file_size(snapshots.file(reference)));
  EXPECT_TRUE(snapshots.verify(snapshots.file(reference), reference));

  const SnapshotReference again = SnapshotReference::decode(reference.encode()).value();
  EXPECT_EQ(again.applied.index, reference.applied.index);
  EXPECT_EQ(again.applied.crc, reference.applied.crc);
  EXPECT_EQ(again.bytes, reference.bytes);
  EXPECT_EQ(again.sha256, reference.sha256);
}

TEST_F(SnapshotsTest, ADamagedReferenceIsNoticedWhereverItIs) {
  const std::string good = write(7).encode();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    EXPECT_FALSE(SnapshotReference::decode(bad)) << at;
    EXPECT_FALSE(SnapshotReference::decode(good.substr(0, at))) << at;
  }
}

TEST_F(SnapshotsTest, ADamagedAndAMissingFileAreNoticed) {
  const SnapshotReference reference = write(7);
  const Path file = snapshots.file(reference);
  std::string content = read_file(file).value();
  content.back() = static_cast<char>(content.back() ^ 1);
  ASSERT_TRUE(write_file(file, content));
  EXPECT_EQ(snapshots.verify(snapshots.file(reference), reference).error().code, Code::corruption);
  std::filesystem::remove(file);
  EXPECT_THAT(snapshots.verify(snapshots.file(reference), reference).error().message, HasSubstr("missing"));
}

TEST_F(SnapshotsTest, TheNewestTwoAreKept) {
  const SnapshotReference first = write(1);
  snapshots.done(first);
  const SnapshotReference second = write(2);
  snapshots.done(second);
  const SnapshotReference third = write(3);
  EXPECT_TRUE(snapshots.verify(snapshots.file(first), first)) << "the log does not have the third yet";
  snapshots.done(third);
  EXPECT_FALSE(snapshots.verify(snapshots.file(first), first));
  EXPECT_TRUE(snapshots.verify(snapshots.file(second), second));
  EXPECT_TRUE(snapshots.verify(snapshots.file(third), third));
}

TEST_F(SnapshotsTest, WhatWasNotFinishedIsRemovedAtOpening) {
  const SnapshotReference reference = write(1);
  const Path half = snapshots.file(reference).string() + ".unfinished";
  ASSERT_TRUE(write_file(half, "half a snapshot"));
  ASSERT_TRUE(snapshots.prepare());
  EXPECT_FALSE(std::filesystem::exists(half));
  EXPECT_TRUE(snapshots.verify(snapshots.file(reference), reference));
}

TEST_F(SnapshotsTest, OneThatCannotBeWrittenLeavesNothing) {
  machine.on_write_snapshot = []() -> Result<> { return fail(Code::unavailable, "no"); };
  EXPECT_FALSE(snapshots.write(*machine.begin_snapshot().value()));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "snapshots"));
}

TEST_F(SnapshotsTest, OneIsNotBegunWithoutRoomNorSoonAfterAFailureUnlessAskedFor) {
  EXPECT_TRUE(snapshots.may_begin(1));
  EXPECT_FALSE(snapshots.may_begin(std::uint64_t{1} << 62));
  EXPECT_FALSE(snapshots.may_begin(1));
  snapshots.begin_anyway();
  EXPECT_TRUE(snapshots.may_begin(1));
  EXPECT_FALSE((Snapshots{folder.path(), std::uint64_t{1} << 62}.may_begin(1)));
}

}  // namespace
}  // namespace cc::consensus
