#include "backup/backup.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/folder.h"
#include "base/bytes.h"
#include "base/process.h"
#include "proto/command.pb.h"
#include "state/state.h"

namespace cc::backup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kKey = "the encryption key of an installation, long enough";

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    state_ = state::State::open(state_file_).value();
    log::Command first;
    first.set_request_id("first");
    first.mutable_initialize_cluster()->set_cluster_id("01J0000000000000000000CLUS");
    first.mutable_initialize_cluster()->add_environments("dev");
    first.mutable_initialize_cluster()->set_admin_name("admin");
    apply(first);
    for (int i = 0; i < 20; ++i)
      publish("config-" + std::to_string(i), random_bytes(1000));
  }

  void publish(const std::string& name, const std::string& content) {
    log::Command command;
    command.set_request_id(name);
    auto& one = *command.mutable_publish_configs()->add_configs();
    one.mutable_key()->set_environment("dev");
    one.mutable_key()->set_application("shop");
    one.mutable_key()->set_cluster("default");
    one.mutable_key()->set_name(name);
    one.set_format("text");
    one.set_content(content);
    apply(command);
  }
  void apply(const log::Command& command) {
    ASSERT_TRUE(state_->apply(state_->position().applied + 1, command.SerializeAsString()));
    ASSERT_TRUE(state_->commit());
  }
  Result<Created> backed_up(const Path& to, std::string_view key = kKey) {
    return create({.state = state_file_, .scratch = scratch_, .node_id = 7}, to, key, Wall(std::chrono::hours(24)));
  }
  Result<Manifest> verified(const Path& file, Level level = Level::rows, std::string_view key = kKey) {
    return verify(file_at(file), key, level, scratch_);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "backups"))
      names.push_back(entry.path().filename().string());
    return names;
  }

  TempDirectory folder_;
  Path state_file_ = folder_.path() / "state.db", scratch_ = folder_.path() / "scratch";
  Path file_ = folder_.path() / "backups" / "one.ccbackup";
  bool made_ = make_directories(folder_.path() / "backups").has_value();
  std::unique_ptr<state::State> state_;
};

TEST_F(BackupTest, SaysWhatIsInIt) {
  const auto made = backed_up(file_);
  ASSERT_TRUE(made) << made.error().message;
  const Manifest manifest = manifest_of(file_at(file_), kKey).value();
  EXPECT_EQ(manifest.contents.configs, 20u);
  EXPECT_EQ(manifest.contents.position.revision, 21u);
  EXPECT_EQ(manifest.contents.position.cluster_id, "01J0000000000000000000CLUS");
  EXPECT_EQ(manifest.node_id, 7u);
  EXPECT_EQ(manifest.name(), "19700102T000000Z-r21");
  EXPECT_EQ(made->bytes, std::filesystem::file_size(file_));
}

TEST_F(BackupTest, IsNamedByItselfInAFolder) {
  const auto made = backed_up(folder_.path() / "backups");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(files(), ElementsAre("19700102T000000Z-r21.ccbackup"));
  EXPECT_EQ(backed_up(folder_.path() / "backups").error().code, Code::already_exists) << "it overwrites nothing";
}

TEST_F(BackupTest, IsPutInAStorage) {
  const auto storage = folder(folder_.path() / "backups");
  const Source source{.state = state_file_, .scratch = scratch_};
  const auto made = create(source, storage, kKey, Wall());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(files(), ElementsAre("19700101T000000Z-r21.ccbackup"));
  EXPECT_TRUE(verify(made->file, kKey, Level::rows, scratch_));
  EXPECT_FALSE(std::filesystem::exists(scratch_));
  EXPECT_EQ(create(source, storage, kKey, Wall()).error().code, Code::already_exists);
}

TEST_F(BackupTest, RemovesWhatOneThatWasKilledLeft) {
  ASSERT_TRUE(make_directories(scratch_ / "backup-0123456789ab"));
  std::ofstream(scratch_ / "backup-0123456789ab" / "state.db") << "half of a state";
  std::ofstream(scratch_ / "of-somebody-else") << "stays";
  ASSERT_TRUE(backed_up(file_));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "backup-0123456789ab"));
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "of-somebody-else"));
}

TEST_F(BackupTest, HoldsTheStateAsItWas) {
  ASSERT_TRUE(backed_up(file_));
  const std::string then = state_->checksum().value();
  publish("later", "later");
  const Path copy = folder_.path() / "copy.db";
  ASSERT_TRUE(extract(file_at(file_), kKey, copy));
  EXPECT_EQ(state::State::open(copy).value()->checksum().value(), then);
}

TEST_F(BackupTest, LeavesNothingBehind) {
  ASSERT_TRUE(backed_up(file_));
  ASSERT_TRUE(verified(file_));
  EXPECT_FALSE(std::filesystem::exists(scratch_));
  EXPECT_THAT(files(), ElementsAre("one.ccbackup"));
}

TEST_F(BackupTest, NeedsTheKeyThatItWasMadeWith) {
  ASSERT_TRUE(backed_up(file_));
  EXPECT_THAT(verified(file_, Level::checksums, "another key").error().message, HasSubstr("sealed with another key"));
  EXPECT_THAT(verified(file_, Level::checksums, "").error().message, HasSubstr("is sealed"));
}

TEST_F(BackupTest, AnyTarOpensOneThatIsNotSealed) {
  ASSERT_TRUE(backed_up(file_, ""));
  ASSERT_TRUE(verified(file_, Level::rows, ""));
  const auto listed = run_process({"tar", "--zstd", "-tf", file_.string()}, "", {});
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(listed->output, "manifest.json\nstate.db\n");
}

// Every byte of a small one would take minutes; some of each part, and all of its beginning and its end.
TEST_F(BackupTest, AFlippedByteAnywhereIsNoticed) {
  for (const std::string_view key : {kKey, std::string_view()}) {
    std::filesystem::remove(file_);
    ASSERT_TRUE(backed_up(file_, key));
    const std::string good = read_file(file_).value();
    ASSERT_GT(good.size(), 1000u);
    for (std::size_t at = 0; at < good.size(); at += at < 200 || at + 200 > good.size() ? 1 : 97) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      std::ofstream(file_, std::ios::binary) << bad;
      ASSERT_FALSE(verified(file_, Level::checksums, key)) << "byte " << at << " of " << good.size();
      const Path copy = folder_.path() / "copy.db";
      ASSERT_FALSE(extract(file_at(file_), key, copy));
      ASSERT_FALSE(std::filesystem::exists(copy)) << "nothing of it is used";
    }
  }
}

TEST_F(BackupTest, OneThatWasCutOffIsNoticed) {
  for (const std::string_view key : {kKey, std::string_view()}) {
    std::filesystem::remove(file_);
    ASSERT_TRUE(backed_up(file_, key));
    const auto size = std::filesystem::file_size(file_);
    for (const std::uintmax_t left : {size - 1, size - 40, size / 2, std::uintmax_t{60}, std::uintmax_t{0}}) {
      std::filesystem::resize_file(file_, left);
      EXPECT_FALSE(verified(file_, Level::checksums, key)) << left;
    }
  }
}

TEST_F(BackupTest, OneOfANewerVersionIsRefusedWithAReason) {
  Manifest manifest{.format = kFormat + 1, .product = "9.9.9"};
  EXPECT_THAT(Manifest::decode(manifest.encode()).error().message, HasSubstr("9.9.9, which is newer"));
  manifest.format = kFormat;
  manifest.contents.schema = 999;
  EXPECT_EQ(Manifest::decode(manifest.encode()).error().code, Code::invalid_argument);
}

TEST_F(BackupTest, WhatIsNoBackupIsRefused) {
  std::ofstream(file_) << "something else";
  EXPECT_THAT(verified(file_).error().message, HasSubstr("is not a backup"));
  EXPECT_EQ(verified(folder_.path() / "nowhere").error().code, Code::not_found);
}

}  // namespace
}  // namespace cc::backup
