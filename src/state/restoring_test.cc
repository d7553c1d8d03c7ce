#include "state/restoring.h"

#include <map>
#include <random>

#include "state/contents.h"
#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using Seen = Restoring::Seen;

class RestoringTest : public StateTest {
 protected:
  // A copy of the state as it is.
  Path copy(const std::string& name) {
    const Path to = directory.path() / name;
    EXPECT_TRUE(state->begin_snapshot().value()->write(to));
    return to;
  }
  Since since(Revision from) {
    Position earlier = state->position();
    earlier.revision = from;
    return changed_since(file, earlier, wall_at(5000)).value();
  }
  static Wall wall_at(std::int64_t seconds) { return Wall(std::chrono::milliseconds(kStart + 1000 * seconds)); }
  // What was kept in `backup` becomes the state of the test.
  Position restore(const Path& backup, const Restoring& how) {
    auto restored = restore_state(backup, how);
    EXPECT_TRUE(restored) << (restored ? "" : restored.error().message);
    state.reset();
    std::filesystem::remove(file);
    std::filesystem::rename(backup, file);
    reopen();
    return restored ? *restored : Position{};
  }
  std::string content(const std::string& key) const {
    const ReleasePtr found = release(key);
    return found == nullptr ? "(never was)" : found->deleted ? "(deleted)" : found->content;
  }
};

TEST_F(RestoringTest, WhatNobodySawSomethingNewerOfIsAsItWas) {
  done(commands.publish("dev/shop/default/a.yaml", "a: 1"));
  const Contents before = contents_of(file).value();
  const Path backup = copy("backup.db");
  const Position position = restore(backup, {.seen = Seen::nothing_newer});
  EXPECT_EQ(contents_of(file).value(), before);
  EXPECT_EQ(position.revision, before.position.revision);
  EXPECT_GT(position.applied, before.position.applied) << "it begins another log";
}

TEST_F(RestoringTest, WhatWasChangedSinceComesAsNewReleasesAboveEveryRevisionThatWasSeen) {
  done(commands.publish("dev/shop/default/changed.yaml", "a: 1"));
  done(commands.publish("dev/shop/default/same.yaml", "b: 1"));
  const Revision same = revision();
  done(commands.publish("dev/shop/default/deleted.yaml", "c: 1"));
  const Path backup = copy("backup.db");
  const Revision at_backup = revision();
  done(commands.publish("dev/shop/default/changed.yaml", "a: 2"));
  done(commands.publish("dev/shop/default/changed.yaml", "a: 3"));
  done(commands.remove("dev/shop/default/deleted.yaml"));
  done(commands.publish("dev/new/default/new.yaml", "d: 1"));
  const Revision seen = revision();

  restore(backup, {.seen = Seen::since, .since = since(at_backup), .what = "last night's"});

  EXPECT_GT(revision(), seen);
  EXPECT_EQ(content("dev/shop/default/changed.yaml"), "a: 1");
  EXPECT_EQ(content("dev/shop/default/same.yaml"), "b: 1");
  EXPECT_EQ(content("dev/shop/default/deleted.yaml"), "c: 1");
  EXPECT_EQ(content("dev/new/default/new.yaml"), "(deleted)") << "who has seen it is told that it is gone";
  EXPECT_EQ(release("dev/shop/default/same.yaml")->revision, same) << "nobody is woken for what is as he saw it";
  for (const char* key : {"dev/shop/default/changed.yaml", "dev/shop/default/deleted.yaml", "dev/new/default/new.yaml"})
    EXPECT_GT(release(key)->revision, seen) << key;
  EXPECT_EQ(release("dev/shop/default/changed.yaml")->version, 4u) << "3 was given out, for another content";
  EXPECT_THAT(release("dev/shop/default/changed.yaml")->comment, HasSubstr("last night's"));
}

TEST_F(RestoringTest, WhatWasPublishedAndDeletedSinceIsToldAgain) {
  const Path backup = copy("backup.db");
  const Revision at_backup = revision();
  done(commands.publish("dev/shop/default/a.yaml", "a: 1"));
  done(commands.remove("dev/shop/default/a.yaml"));
  const Since newer = since(at_backup);
  restore(backup, {.seen = Seen::since, .since = newer});
  EXPECT_EQ(content("dev/shop/default/a.yaml"), "(deleted)");
  done(commands.publish("dev/shop/default/b.yaml", "b: 1"));
  EXPECT_EQ(contents_of(file).value().releases, 2u);
  EXPECT_GT(changed_since(file, {.revision = 0, .cluster_id = newer.cluster_id}, {}).value().last_release,
            newer.last_release)
      << "no number of a release is given out twice: the archive goes by them";
}

TEST_F(RestoringTest, WhenNothingIsKnownAllConfigsComeAnewFarAbove) {
  done(commands.publish("dev/shop/default/a.yaml", "a: 1"));
  done(commands.publish("dev/shop/default/b.yaml", "b: 1"));
  const Path backup = copy("backup.db");
  const Revision at_backup = revision();
  restore(backup, {.seen = Seen::unknown});
  EXPECT_GT(revision(), at_backup + 999'999'999);
  EXPECT_EQ(release("dev/shop/default/a.yaml")->revision, revision());
  EXPECT_EQ(release("dev/shop/default/b.yaml")->revision, revision());
  EXPECT_EQ(content("dev/shop/default/a.yaml"), "a: 1");
}

TEST_F(RestoringTest, SessionsEndAndTheRestoreIsOnRecord) {
  const Path backup = copy("backup.db");
  const Revision at_backup = revision();
  done(commands.put_user("li"));
  const Since newer = since(at_backup);
  EXPECT_THAT(newer.others, ElementsAre(Field(&Since::Other::action, HasSubstr("user"))));
  restore(backup, {.seen = Seen::since, .since = newer, .what = "last night's"});
  for (const User& user : state->identity().value().users)
    EXPECT_EQ(user.token_epoch, revision()) << user.name;
  const AuditRecord newest = audit().front();
  EXPECT_EQ(newest.action, "cluster.restore");
  EXPECT_EQ(newest.target, "last night's");
  EXPECT_GT(newest.id, newer.last_audit);
}

TEST_F(RestoringTest, WhatBelongsToAnotherStateIsRefused) {
  const Path backup = copy("backup.db");
  Since other = since(revision());
  other.from += 1;
  EXPECT_EQ(restore_state(backup, {.seen = Seen::since, .since = other}).error().code, Code::conflict);
  EXPECT_EQ(changed_since(file, {.revision = 1, .cluster_id = "another"}, {}).error().code, Code::conflict);
  EXPECT_THAT(changed_since(file, {.revision = revision() + 1, .cluster_id = other.cluster_id}, {}).error().message,
              HasSubstr("is older"));
}

// For random histories: who has seen everything up to the end, and gets what is newer than that after the restore, has
// then what is read.
TEST_F(RestoringTest, WatchersEndUpWithWhatIsRead) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto key_of_any = [&] { return "dev/shop/default/" + std::to_string(random() % 12); };
  std::map<std::string, std::string> watcher;  // what it has
  const auto look = [&](Revision after) {
    for (const ReleasePtr& each : releases()) {
      if (each->revision <= after) continue;
      if (each->deleted)
        watcher.erase(each->key_text);
      else
        watcher[each->key_text] = each->content;
    }
  };
  const auto change = [&] {
    if (random() % 3 == 0) {
      run(commands.remove(key_of_any()));
    } else {
      run(commands.publish(key_of_any(), "v: " + std::to_string(random() % 5)));
    }
  };
  for (int round = 0; round < 20; ++round) {
    for (unsigned i = random() % 20; i > 0; --i)
      change();
    const Path backup = copy("backup.db");
    const Revision at_backup = revision();
    for (unsigned i = random() % 20; i > 0; --i)
      change();
    const Revision seen = revision();
    watcher.clear();
    look(0);
    restore(backup, {.seen = Seen::since, .since = since(at_backup), .what = "x"});
    ASSERT_GT(revision(), seen);
    look(seen);
    std::map<std::string, std::string> read;
    for (const ReleasePtr& each : releases())
      if (!each->deleted) read[each->key_text] = each->content;
    ASSERT_EQ(watcher, read) << "round " << round;
  }
}

// Two nodes, the same restore.
TEST_F(RestoringTest, IsTheSameOnAllNodes) {
  done(commands.publish("dev/shop/default/a.yaml", "a: 1"));
  const Path one = copy("one.db");
  const Path two = copy("two.db");
  const Revision at_backup = revision();
  done(commands.publish("dev/shop/default/a.yaml", "a: 2"));
  const Restoring how{.seen = Seen::since, .since = since(at_backup), .what = "x"};
  ASSERT_TRUE(restore_state(one, how));
  ASSERT_TRUE(restore_state(two, how));
  EXPECT_EQ(State::open(one).value()->checksum().value(), State::open(two).value()->checksum().value());
}

}  // namespace
}  // namespace cc::state
