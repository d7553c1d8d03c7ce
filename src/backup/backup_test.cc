#include "backup/backup.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/folder.h"
#include "backup/seal.h"
#include "base/bytes.h"
#include "base/process.h"
#include "proto/command.pb.h"
#include "state/state.h"

namespace cc::backup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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
  // With a history of the archive, of which `dump` is in it, when there is one.
  Result<Created> backed_up_with(History history, const std::string& dump = {}, std::string_view key = kKey) {
    std::filesystem::remove(file_);
    const auto take = [&](const Path&, const Path& to) -> Result<History> {
      if (!dump.empty()) TRYV(write_file(to, dump));
      return history;
    };
    return create({.state = state_file_, .scratch = scratch_, .node_id = 7, .history = take}, file_, key, Wall());
  }
  // What is packed by hand, with the checksum that all of it has when it is not sealed.
  void pack_by_hand(const std::vector<std::string>& names) {
    std::vector<std::string> words{"tar", "--zstd", "-cf", "by-hand.tar.zst", "-C", folder_.path().string()};
    words[3] = (folder_.path() / words[3]).string();
    words.insert(words.end(), names.begin(), names.end());
    ASSERT_TRUE(run_process(words, "", {})->good());
    std::filesystem::remove(file_);
    Writer writer = Writer::create(file_, "").value();
    ASSERT_TRUE(writer.write(read_file(words[3]).value()));
    ASSERT_TRUE(writer.finish());
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

const History kSomewhere{
    .hosts = "db1,db2", .database = "history", .port = 5432, .revision = 20, .last_release = 19, .last_audit = 18};

TEST_F(BackupTest, SaysWhereTheHistoryIsAndHowFar) {
  ASSERT_TRUE(backed_up_with(kSomewhere));
  const Manifest manifest = verified(file_).value();
  EXPECT_EQ(manifest.format, kFormatWithoutDump) << "programs that know no dumps read it";
  ASSERT_TRUE(manifest.history);
  EXPECT_FALSE(manifest.history->included());
  EXPECT_EQ(manifest.history->hosts, "db1,db2");
  EXPECT_EQ(manifest.history->port, 5432);
  EXPECT_EQ(manifest.history->database, "history");
  EXPECT_EQ(manifest.history->revision, 20u);
  EXPECT_EQ(manifest.history->last_release, 19u);
  EXPECT_EQ(manifest.history->last_audit, 18u);
  EXPECT_EQ(extract_dump(file_at(file_), kKey, folder_.path() / "dump").error().code, Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "dump"));
}

TEST_F(BackupTest, SaysWhyNobodyKnowsHowFarTheHistoryIs) {
  ASSERT_TRUE(backed_up_with({.hosts = "db1", .database = "history", .port = 5432, .trouble = "does not answer"}));
  EXPECT_EQ(verified(file_).value().history->trouble, "does not answer");
}

TEST_F(BackupTest, IsNotMadeWhenItsHistoryCannotBe) {
  const auto take = [](const Path&, const Path&) { return Result<History>(fail(Code::unavailable, "no pg_dump")); };
  const auto made = create({.state = state_file_, .scratch = scratch_, .history = take}, file_, kKey, Wall());
  EXPECT_THAT(made.error().message, HasSubstr("no pg_dump"));
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(scratch_));
}

TEST_F(BackupTest, HoldsTheHistoryThatIsIncluded) {
  const std::string dump = random_bytes(300'000);
  ASSERT_TRUE(backed_up_with(kSomewhere, dump));
  std::string read;
  const auto take = [&](const Path& file) -> Result<> {
    read = read_file(file).value();
    return {};
  };
  const Manifest manifest = verify(file_at(file_), kKey, Level::rows, scratch_, {}, take).value();
  EXPECT_EQ(read, dump);
  EXPECT_EQ(manifest.format, kFormat) << "programs that know no dumps refuse it, and say why";
  EXPECT_EQ(manifest.history->dump_bytes, dump.size());
  EXPECT_EQ(manifest.history->dump_sha256, sha256_hex(dump));
  const Path state = folder_.path() / "copy.db", beside = folder_.path() / "dump";
  ASSERT_TRUE(extract(file_at(file_), kKey, state, {}, beside));
  EXPECT_EQ(read_file(beside).value(), dump);
  EXPECT_EQ(state::State::open(state).value()->checksum().value(), state_->checksum().value());
  std::filesystem::remove(beside);
  ASSERT_TRUE(extract_dump(file_at(file_), kKey, beside));
  EXPECT_EQ(read_file(beside).value(), dump);
  EXPECT_FALSE(std::filesystem::exists(scratch_));
}

TEST_F(BackupTest, WhatIsWrongWithTheDumpIsWrongWithTheBackup) {
  ASSERT_TRUE(backed_up_with(kSomewhere, "a dump"));
  const auto refuse = [](const Path&) { return Result<>(fail(Code::corruption, "no dump")); };
  EXPECT_EQ(verify(file_at(file_), kKey, Level::rows, scratch_, {}, refuse).error().message, "no dump");
  EXPECT_TRUE(verify(file_at(file_), kKey, Level::checksums, scratch_, {}, refuse)) << "it is not read";
}

TEST_F(BackupTest, AFlippedByteOfTheDumpIsNoticed) {
  for (const std::string_view key : {kKey, std::string_view()}) {
    ASSERT_TRUE(backed_up_with(kSomewhere, random_bytes(200'000), key));
    const std::string good = read_file(file_).value();
    for (std::size_t at = good.size() - 190'000; at < good.size() - 1000; at += 19'001) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      std::ofstream(file_, std::ios::binary) << bad;
      ASSERT_FALSE(verified(file_, Level::checksums, key)) << at;
      ASSERT_FALSE(extract_dump(file_at(file_), key, folder_.path() / "dump"));
      ASSERT_FALSE(std::filesystem::exists(folder_.path() / "dump")) << "nothing of it is used";
    }
  }
}

TEST_F(BackupTest, WhatItsManifestDoesNotKnowIsRefused) {
  ASSERT_TRUE(backed_up_with(kSomewhere, "a dump", ""));
  ASSERT_TRUE(run_process({"tar", "--zstd", "-xf", file_.string(), "-C", folder_.path().string(), "manifest.json",
                           "archive.dump"},
                          "", {})
                  ->good());
  ASSERT_TRUE(extract(file_at(file_), "", folder_.path() / "state.db.then"));
  state_.reset();
  std::filesystem::rename(folder_.path() / "state.db.then", state_file_);
  pack_by_hand({"manifest.json", "state.db", "archive.dump"});
  EXPECT_TRUE(verified(file_, Level::checksums, "")) << "packed by hand it is as it was";
  pack_by_hand({"manifest.json", "state.db"});
  EXPECT_EQ(verified(file_, Level::checksums, "").error().code, Code::corruption) << "its dump is missing";
  std::ofstream(folder_.path() / "other") << "something else";
  pack_by_hand({"manifest.json", "state.db", "archive.dump", "other"});
  EXPECT_THAT(verified(file_, Level::checksums, "").error().message, HasSubstr("its manifest does not know"));
  std::ofstream(folder_.path() / "archive.dump") << "A dump";
  pack_by_hand({"manifest.json", "state.db", "archive.dump"});
  EXPECT_THAT(verified(file_, Level::checksums, "").error().message, HasSubstr("the dump of the archive"));
}

// As config-center 0.1.0 wrote them, before there was a history in backups.
TEST_F(BackupTest, TheFormerLayoutIsRead) {
  ASSERT_TRUE(backed_up(file_, ""));
  const auto listed = run_process({"tar", "--zstd", "-tf", file_.string()}, "", {});
  EXPECT_EQ(listed->output, "manifest.json\nstate.db\n");
  const Manifest manifest = verified(file_, Level::rows, "").value();
  EXPECT_EQ(manifest.format, 1);
  EXPECT_FALSE(manifest.history);
  EXPECT_THAT(manifest.encode(), Not(HasSubstr("\"archive\"")));
}

TEST_F(BackupTest, AManifestWhoseFormatIsNotWhatIsInItIsDamaged) {
  Manifest manifest{.format = kFormat, .product = "1.2.3"};
  manifest.history = kSomewhere;
  EXPECT_EQ(Manifest::decode(manifest.encode()).error().code, Code::corruption) << "a dump is missing";
  manifest.history->dump_sha256 = sha256_hex("");
  EXPECT_TRUE(Manifest::decode(manifest.encode()));
  manifest.format = kFormatWithoutDump;
  EXPECT_EQ(Manifest::decode(manifest.encode()).error().code, Code::corruption) << "older programs would not refuse it";
}

TEST_F(BackupTest, WhatIsNoBackupIsRefused) {
  std::ofstream(file_) << "something else";
  EXPECT_THAT(verified(file_).error().message, HasSubstr("is not a backup"));
  EXPECT_EQ(verified(folder_.path() / "nowhere").error().code, Code::not_found);
}

}  // namespace
}  // namespace cc::backup
