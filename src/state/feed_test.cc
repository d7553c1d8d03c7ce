#include "state/feed.h"

#include <numeric>

#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kKey = "prod/shop/default/application.yaml";
constexpr auto kOther = "prod/shop/default/other.yaml";

class Feeds : public StateTest {
 protected:
  explicit Feeds(Options options = {}) : StateTest(options) {}

  FeedBatch read(const FeedPosition& after = {}, const FeedLimits& limits = {}) {
    auto batch = feed.read(after, limits, {});
    EXPECT_TRUE(batch) << batch.error().message;
    return batch.value_or(FeedBatch());
  }
  static std::vector<std::string> contents(const FeedBatch& batch) {
    std::vector<std::string> found;
    for (const FeedRelease& each : batch.releases)
      found.push_back(each.release->deleted ? "(deleted)" : each.release->content);
    return found;
  }
  static std::vector<std::uint64_t> ids(const FeedBatch& batch) {
    std::vector<std::uint64_t> found;
    for (const AuditRecord& record : batch.audits)
      found.push_back(record.id);
    return found;
  }
  static std::string actions(const FeedBatch& batch) {
    std::string found;
    for (const AuditRecord& record : batch.audits)
      found += record.action + " ";
    return found;
  }
  void attempt() {
    log::Command command = commands.make();
    auto& record = *command.mutable_record_audit()->add_records();
    record.set_action("login");
    record.set_outcome("unauthenticated");
    done(command);
  }

  Feed feed{file};
};

TEST_F(Feeds, tell_every_release_and_record_in_the_order_of_commit) {
  done(commands.publish(kKey, "a: 1\n"));
  attempt();
  done(commands.publish(kOther, "b: 1\n"));
  done(commands.publish(kKey, "a: 2\n"));
  done(commands.remove(kOther));
  const auto batch = read();
  EXPECT_THAT(contents(batch), ElementsAre("a: 1\n", "b: 1\n", "a: 2\n", "(deleted)"));
  EXPECT_EQ(batch.releases.back().release->key_text, kOther);
  std::vector<std::uint64_t> numbers(batch.audits.size());
  std::iota(numbers.begin(), numbers.end(), 1);
  EXPECT_EQ(ids(batch), numbers);
  EXPECT_EQ(actions(batch),
            "initialize application.create cluster.create config.publish login config.publish config.publish "
            "config.delete ");
  EXPECT_TRUE(batch.all());
  EXPECT_EQ(batch.revision, revision());
  EXPECT_FALSE(batch.cluster_id.empty());
}

TEST_F(Feeds, go_on_where_they_were_left) {
  done(commands.publish(kKey, "a: 1\n"));
  const auto first = read();
  EXPECT_THAT(contents(read(first.until)), IsEmpty());
  done(commands.publish(kKey, "a: 2\n"));
  const auto second = read(first.until);
  EXPECT_THAT(contents(second), ElementsAre("a: 2\n"));
  EXPECT_THAT(second.audits, SizeIs(1));
}

TEST_F(Feeds, do_not_tell_what_is_not_committed) {
  done(commands.publish(kKey, "a: 1\n"));
  const auto before = read();
  apply(commands.publish(kKey, "a: 2\n"));
  EXPECT_EQ(read(before.until).newest, before.newest);
}

TEST_F(Feeds, tell_so_much_at_once_and_which_revision_is_complete_with_it) {
  log::Command both = commands.make();
  Commands::add(*both.mutable_publish_configs(), kKey, "a: 1\n");
  Commands::add(*both.mutable_publish_configs(), kOther, "b: 1\n");
  const auto revision_of_both = done(both).revision();
  done(commands.publish(kKey, "a: 2\n"));

  const auto half = read({}, {.releases = 1});
  EXPECT_THAT(contents(half), ElementsAre("a: 1\n"));
  EXPECT_EQ(half.revision, revision_of_both - 1);
  EXPECT_FALSE(half.all());
  EXPECT_THAT(contents(read({}, {.bytes = 7})), ElementsAre("a: 1\n")) << "one at least, and none beyond the bytes";
  const auto rest = read(half.until, {.releases = 1});
  EXPECT_THAT(contents(rest), ElementsAre("b: 1\n"));
  EXPECT_EQ(rest.revision, revision_of_both - 1) << "more might be of the same revision";
  EXPECT_TRUE(read(rest.until, {.releases = 1}).all());
  EXPECT_EQ(read({}, {.audits = 1}).revision, 0u) << "more may be of the first revision";
}

TEST_F(Feeds, tell_all_places_when_some_may_have_changed) {
  const auto first = read();
  ASSERT_TRUE(first.places);
  EXPECT_THAT(first.places->environments, SizeIs(3));
  done(commands.publish(kKey, "a: 1\n"));
  const auto made = read(first.until);
  ASSERT_TRUE(made.places);
  EXPECT_THAT(made.places->clusters, SizeIs(1));
  EXPECT_THAT(made.places->applications, SizeIs(1));
  done(commands.publish(kKey, "a: 2\n"));
  EXPECT_FALSE(read(made.until).places);
}

TEST_F(Feeds, are_at_the_end_for_who_is_ahead_of_this_state) {
  const auto batch = read({.release = 100, .audit = 200});
  EXPECT_TRUE(batch.all());
  EXPECT_EQ(batch.until, (FeedPosition{100, 200}));
}

TEST_F(Feeds, tell_what_is_published_now) {
  done(commands.publish(kKey, "a: 1\n"));
  done(commands.publish(kOther, "b: 1\n"));
  done(commands.publish(kKey, "a: 2\n"));
  done(commands.remove(kOther));
  std::vector<std::string> found;
  const auto until = feed.published(
      [&](const FeedRelease& each) -> Result<> {
        found.push_back(each.release->content);
        return {};
      },
      {});
  ASSERT_TRUE(until);
  EXPECT_THAT(found, ElementsAre("a: 2\n"));
  EXPECT_EQ(*until, read().newest);
}

class FeedsOfLittle : public Feeds {
 protected:
  FeedsOfLittle() : Feeds({.keep_versions = 2}) {}
};

TEST_F(FeedsOfLittle, pass_over_what_was_forgotten) {
  for (int i = 1; i <= 4; ++i)
    done(commands.publish(kKey, "a: " + std::to_string(i) + "\n"));
  EXPECT_THAT(contents(read()), ElementsAre("a: 3\n", "a: 4\n"));
  EXPECT_THAT(contents(read({.release = 1})), ElementsAre("a: 3\n", "a: 4\n"));
}

}  // namespace
}  // namespace cc::state
