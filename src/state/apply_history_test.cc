#include "state/feed.h"
#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kKey = "prod/shop/default/application.yaml";
constexpr auto kOther = "prod/shop/default/other.yaml";

class OldHistory : public StateTest {
 protected:
  explicit OldHistory(Options options = {}) : StateTest(options) {
    for (int i = 1; i <= 4; ++i)
      done(commands.publish(kKey, "a: " + std::to_string(i) + "\n"));
    done(commands.publish(kOther, "b: 1\n"));
    done(commands.remove(kOther));
  }

  log::Command forget(std::initializer_list<std::uint64_t> releases, std::uint64_t audit_until = 0) {
    log::Command command = commands.make();
    auto& what = *command.mutable_forget_history();
    for (const auto id : releases)
      what.add_releases(id);
    what.set_audit_until(audit_until);
    return command;
  }
  static log::Command with_archive(log::Command command, std::uint64_t release, std::uint64_t audit) {
    auto& what = *command.mutable_forget_history();
    what.set_archive_used(true);
    what.set_archived_release(release);
    what.set_archived_audit(audit);
    return command;
  }
  std::vector<std::uint64_t> releases() {
    std::vector<std::uint64_t> found;
    for (const auto& each : Feed(file).read({}, {}, {}).value().releases)
      found.push_back(each.id);
    return found;
  }
  std::vector<std::uint64_t> audit_ids() {
    std::vector<std::uint64_t> found;
    for (const auto& each : Feed(file).read({}, {}, {}).value().audits)
      found.push_back(each.id);
    return found;
  }
  Queries::Forgettable forgettable(std::uint64_t versions, Wall audit_from = {}, std::size_t at_most = 1000) {
    return Queries(file).forgettable(versions, audit_from, at_most).value();
  }
  static Wall ever() { return Wall(std::chrono::milliseconds(kStart) + std::chrono::hours(24)); }
};

TEST_F(OldHistory, is_found_beyond_so_many_versions_of_each_config) {
  EXPECT_THAT(forgettable(2).releases, ElementsAre(1, 2));
  EXPECT_THAT(forgettable(2, {}, 1).releases, SizeIs(1));
  EXPECT_THAT(forgettable(4).releases, IsEmpty());
  EXPECT_THAT(forgettable(1).releases, ElementsAre(1, 2, 3)) << "the tombstone ends version 1 of the other, the newest";
}

TEST_F(OldHistory, is_forgotten_but_never_what_is_newest) {
  done(forget({1, 2, 4, 5, 6}));
  EXPECT_THAT(releases(), ElementsAre(3, 4, 6)) << "4 is published, 6 is the tombstone that the config points to";
  EXPECT_EQ(release(kKey)->content, "a: 4\n");
}

TEST_F(OldHistory, of_audit_records_is_found_by_their_time) {
  const auto all = audit_ids();
  EXPECT_EQ(forgettable(100, Wall(std::chrono::milliseconds(kStart))).audit_until, 0u);
  EXPECT_EQ(forgettable(100, ever()).audit_until, all.back());
  EXPECT_EQ(forgettable(100, ever(), 2).audit_until, all[1]);
}

TEST_F(OldHistory, of_audit_records_is_forgotten_but_for_the_newest_by_which_counting_goes_on) {
  const auto newest = audit_ids().back();
  done(forget({}, newest));
  EXPECT_THAT(audit_ids(), ElementsAre(newest));
  reopen();
  done(commands.publish(kKey, "a: 5\n"));
  EXPECT_THAT(audit_ids(), ElementsAre(newest, newest + 1));
}

TEST_F(OldHistory, leaves_no_trace_where_it_is_forgotten) {
  const auto was = revision();
  const auto records = audit_ids().size();
  done(forget({1}));
  EXPECT_EQ(revision(), was);
  EXPECT_THAT(audit_ids(), SizeIs(records));
}

TEST_F(OldHistory, that_the_archive_was_not_said_to_have_is_kept) {
  done(with_archive(forget({}), 2, 3));
  EXPECT_THAT(forgettable(1).releases, ElementsAre(1, 2));
  EXPECT_EQ(forgettable(100, ever()).audit_until, 3u);
  done(with_archive(forget({1, 2, 3}, 5), 6, 100));
  EXPECT_THAT(releases(), ElementsAre(3, 4, 5, 6)) << "3 was in the archive only after it was told the last time";
  EXPECT_EQ(audit_ids().front(), 4u);
  done(forget({3}));
  EXPECT_THAT(releases(), ElementsAre(4, 5, 6));
}

class LittleOldHistory : public OldHistory {
 protected:
  LittleOldHistory() : OldHistory({.keep_versions = 2, .keep_audited_changes = 5}) {}
};

TEST_F(LittleOldHistory, grows_beyond_every_limit_while_the_archive_lacks_it) {
  EXPECT_THAT(releases(), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(audit_ids(), SizeIs(5));
  done(with_archive(forget({}), 0, 0));
  for (int i = 5; i <= 8; ++i)
    done(commands.publish(kKey, "a: " + std::to_string(i) + "\n"));
  EXPECT_THAT(releases(), ElementsAre(3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_THAT(audit_ids(), SizeIs(9));
  done(with_archive(forget({}), 8, 100));
  done(commands.publish(kKey, "a: 9\n"));
  EXPECT_THAT(releases(), ElementsAre(5, 6, 9, 10, 11)) << "5 and 6 are of the other config";
  EXPECT_THAT(audit_ids(), SizeIs(5));
}

}  // namespace
}  // namespace cc::state
