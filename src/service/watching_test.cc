#include "service/watching.h"

#include <gmock/gmock.h>

#include "service/configs.h"
#include "service/test_node.h"

namespace cc::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

struct Ended {
  std::vector<std::string> keys;
  std::vector<Revision> revisions;
  Revision revision = 0;
  std::optional<Error> refused;
  bool stopping = false;
};

Task<Ended> watch(Context& context, SessionPtr session, std::vector<view::Interest> interests, Mono until) {
  Watch watch(context, std::move(session), std::move(interests));
  while (watch.must_wait(until))
    co_await watch.sleep();
  Ended ended{.refused = watch.refused(), .stopping = watch.stopping()};
  if (ended.refused) co_return ended;
  const auto changes = watch.changes();
  ended.revision = changes.revision;
  for (const ReleasePtr& release : changes.releases) {
    ended.keys.push_back(release->key_text);
    ended.revisions.push_back(release->revision);
  }
  co_return ended;
}

class Watching : public testing::Test {
 protected:
  Revision publish(const std::string& key, const std::string& content = "x") {
    const auto change =
        node.run(service::publish(node.context(), node.admin(),
                                  {.key = ConfigKey::parse(key).value(), .content = content, .format = Format::text}));
    if (!change) throw std::runtime_error(change.error().message);
    return change->revision;
  }
  // As a commit brings it to this thread.
  static Event change(const std::string& key, Revision revision) {
    auto release = std::make_shared<Release>();
    release->key = ConfigKey::parse(key).value();
    release->key_text = key;
    release->revision = revision;
    return {.revision = revision, .release = release};
  }
  auto start(std::vector<view::Interest> interests, const std::string& token, Mono::duration wait = minutes(5)) {
    return node.start(watch(node.context(), node.as(token).session, std::move(interests), node.clock().now() + wait));
  }
  auto start(std::vector<view::Interest> interests, Mono::duration wait = minutes(5)) {
    return start(std::move(interests), node.token("admin"), wait);
  }

  TestNode node;
};

TEST_F(Watching, WhatIsNewerIsToldAtOnce) {
  const auto revision = publish("dev/shop/default/a");
  auto watching = start({{.text = "dev/shop/default/a", .after = revision - 1}});
  EXPECT_TRUE(watching->done());
  EXPECT_THAT(watching->value().revisions, ElementsAre(revision));
}

TEST_F(Watching, TheNextChangeWakesIt) {
  const auto revision = publish("dev/shop/default/a");
  auto watching = start({{.text = "dev/shop/default/a", .after = revision}});
  EXPECT_FALSE(watching->done());
  EXPECT_EQ(node.view().waiters(), 1u);
  publish("dev/shop/default/ab");
  EXPECT_FALSE(watching->done());
  const auto next = publish("dev/shop/default/a", "y");
  EXPECT_THAT(watching->value().revisions, ElementsAre(next));
  EXPECT_EQ(node.view().waiters(), 0u);
}

TEST_F(Watching, ADeletionWakesIt) {
  const auto revision = publish("dev/shop/default/a");
  auto watching = start({{.text = "dev/shop/default/a", .after = revision}});
  const auto deleted =
      node.run(delete_config(node.context(), node.admin(), ConfigKey::parse("dev/shop/default/a").value(), "", {}));
  EXPECT_THAT(watching->value().revisions, ElementsAre(deleted->revision));
}

TEST_F(Watching, AChangeBetweenTheAnswerAndTheNextWaitIsNotMissed) {
  const Mono until = node.clock().now() + minutes(1);
  Watch watch(node.context(), node.admin().session, {{.text = "dev/shop/", .prefix = true, .after = 0}});
  auto published = publish("dev/shop/default/a", "0");
  for (int i = 1; i <= 20; ++i) {
    ASSERT_FALSE(watch.must_wait(until));
    const auto told = watch.changes();
    ASSERT_THAT(told.releases, testing::SizeIs(1));
    ASSERT_EQ(told.releases[0]->revision, published);
    published = publish("dev/shop/default/" + std::string(i % 2 == 0 ? "a" : "b"), std::to_string(i));
    watch.advance(told.revision);
  }
}

TEST_F(Watching, AChangeBetweenTwoWaitsIsNotMissed) {
  // The second change is there after the first has woken the watcher, and before it looks what it was woken for.
  const auto seen = publish("dev/shop/default/a", "0");
  auto watching = start({{.text = "dev/shop/default/a", .after = seen}});
  node.view().update(std::vector{change("dev/shop/default/a", seen + 1)}, seen + 1);
  EXPECT_EQ(node.view().waiters(), 0u) << "woken, and has not run yet";
  node.view().update(std::vector{change("dev/shop/default/a", seen + 2)}, seen + 2);
  EXPECT_THAT(watching->value().revisions, ElementsAre(seen + 2));

  // The third comes between that answer and the next wait.
  node.view().update(std::vector{change("dev/shop/default/a", seen + 3)}, seen + 3);
  watching = start({{.text = "dev/shop/default/a", .after = seen + 2}});
  EXPECT_TRUE(watching->done());
  EXPECT_THAT(watching->value().revisions, ElementsAre(seen + 3));
}

TEST_F(Watching, AChangeWhileAWatcherLooksAgainIsNotMissed) {
  // Woken by what it may not see, it goes back to wait; the change that it may see comes before it has run.
  node.user("vera", {{.role = Role::viewer, .scope = {.application = "shop"}}});
  const auto seen = publish("dev/other/default/a");
  auto watching = start({{.text = "dev/", .prefix = true, .after = seen}}, node.token("vera"));
  node.view().update(std::vector{change("dev/other/default/a", seen + 1)}, seen + 1);
  node.view().update(std::vector{change("dev/shop/default/a", seen + 2)}, seen + 2);
  EXPECT_THAT(watching->value().keys, ElementsAre("dev/shop/default/a"));
}

TEST_F(Watching, MuchThatIsHiddenIsPassedOverWithoutHoldingTheThread) {
  node.user("vera", {{.role = Role::viewer, .scope = {.application = "shop"}}});
  const Revision before = node.view().revision();
  std::vector<Event> events;
  for (int i = 1; i <= 20'000; ++i)
    events.push_back(change("dev/other/default/" + std::to_string(i), before + i));
  const Revision shown = before + 20'001;
  events.push_back(change("dev/shop/default/a", shown));
  node.view().update(events, shown);

  Watch watch(node.context(), node.as(node.token("vera")).session, {{.text = "dev/", .prefix = true, .after = 0}});
  const Mono until = node.clock().now() + minutes(1);
  int turns = 0;
  while (watch.must_wait(until)) {
    EXPECT_EQ(node.view().waiters(), 0u) << "there is more to look at";
    ++turns;
  }
  EXPECT_GE(turns, 4);
  const auto told = watch.changes(10);
  ASSERT_EQ(told.releases.size(), 1u);
  EXPECT_EQ(told.releases[0]->revision, shown);
  EXPECT_EQ(told.revision, shown);
  watch.advance(told.revision);
  EXPECT_TRUE(watch.must_wait(until));
  EXPECT_EQ(node.view().waiters(), 1u);
}

TEST_F(Watching, WatchersEndAtTheNewestWhateverIsPublishedMeanwhile) {
  const std::vector<std::string> keys{"dev/shop/default/a", "dev/shop/default/b", "dev/shop/default/c"};
  constexpr int kEach = 30;
  std::vector<std::vector<Call>> calls(keys.size());
  std::vector<std::shared_ptr<TestNode::Running<Revision>>> publishers;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    for (int i = 0; i < kEach; ++i)
      calls[k].push_back(node.admin());
    publishers.push_back(node.start([](Context& context, std::string key, std::vector<Call>& mine) -> Task<Revision> {
      Revision last = 0;
      for (std::size_t i = 0; i < mine.size(); ++i) {
        const auto change = co_await service::publish(
            context, mine[i],
            {.key = ConfigKey::parse(key).value(), .content = std::to_string(i), .format = Format::text});
        last = change.value().revision;
      }
      co_return last;
    }(node.context(), keys[k], calls[k])));
  }
  std::vector<std::shared_ptr<TestNode::Running<Revision>>> watchers;
  for (const std::string& key : keys) {
    watchers.push_back(node.start([](Context& context, SessionPtr session, std::string mine) -> Task<Revision> {
      Revision seen = 0;
      for (;;) {
        const Ended ended = co_await watch(context, session, {{.text = mine, .after = seen}}, Mono::max());
        if (ended.revisions.empty() || ended.revisions.front() <= seen) throw std::runtime_error("went back");
        seen = ended.revisions.front();
        if (context.view.find(mine)->content == std::to_string(kEach - 1)) co_return seen;
      }
    }(node.context(), node.admin().session, key)));
  }
  for (std::size_t k = 0; k < keys.size(); ++k)
    EXPECT_EQ(watchers[k]->value(), publishers[k]->value());
}

TEST_F(Watching, EndsWithNothingWhenTheTimeIsUp) {
  const auto revision = publish("dev/shop/default/a");
  auto watching = start({{.text = "dev/shop/default/a", .after = revision}}, milliseconds(5));
  EXPECT_FALSE(watching->done());
  node.clock().advance(milliseconds(5));
  const auto ended = watching->value();
  EXPECT_THAT(ended.keys, IsEmpty());
  EXPECT_EQ(ended.revision, revision);
  EXPECT_FALSE(ended.refused);
}

TEST_F(Watching, EndsWhenTheNodeStops) {
  auto watching = start({{.text = "dev/shop/default/a", .after = 0}});
  stop_waiting(node.context());
  EXPECT_TRUE(watching->value().stopping);
}

TEST_F(Watching, LeavesNothingBehindWhenTheClientGoes) {
  const std::string token = node.token("admin");
  const SessionPtr session = node.as(token).session;
  auto watching =
      start({{.text = "dev/shop/default/a", .after = 0}, {.text = "dev/", .prefix = true, .after = 0}}, token);
  EXPECT_EQ(node.view().waiters(), 1u);
  EXPECT_EQ(session->waits(), 1u);
  watching->cancel();
  node.until([&] { return watching->done(); });
  EXPECT_TRUE(watching->broken_off());
  EXPECT_EQ(node.view().waiters(), 0u);
  EXPECT_EQ(session->waits(), 0u);
  publish("dev/shop/default/a");
}

TEST_F(Watching, APrefixShowsOnlyWhatMayBeReadAndIsWokenByNothingElse) {
  node.user("vera", {{.role = Role::viewer, .scope = {.application = "shop"}}});
  publish("dev/other/default/a");
  auto watching = start({{.text = "dev/", .prefix = true, .after = 0}}, node.token("vera"));
  EXPECT_FALSE(watching->done());
  publish("dev/other/default/b");
  node.settle();
  EXPECT_FALSE(watching->done());
  const auto mine = publish("dev/shop/default/a");
  const auto ended = watching->value();
  EXPECT_THAT(ended.keys, ElementsAre("dev/shop/default/a"));
  EXPECT_EQ(ended.revision, mine);
}

TEST_F(Watching, ANewRevisionOfAnotherNodeIsWaitedForNotForgotten) {
  const auto revision = publish("dev/shop/default/a");
  auto watching = start({{.text = "dev/shop/default/a", .after = revision + 1}});
  publish("dev/shop/default/a", "y");  // which the client has from another node
  EXPECT_FALSE(watching->done());
  const auto next = publish("dev/shop/default/a", "z");
  EXPECT_THAT(watching->value().revisions, ElementsAre(next));
}

TEST_F(Watching, NobodyIsSentBackToWhatThisNodeKnows) {
  const auto revision = publish("dev/shop/default/a");
  auto watching = start(
      {{.text = "dev/shop/default/a", .after = revision + 7}, {.text = "dev/shop/default/b", .after = revision + 5}},
      milliseconds(5));
  node.clock().advance(milliseconds(5));
  const auto ended = watching->value();
  EXPECT_THAT(ended.keys, IsEmpty());
  EXPECT_EQ(ended.revision, revision + 5) << "further, and what the second has not seen would be missed";
}

TEST_F(Watching, ARevokedTokenEndsIt) {
  auto watching = start({{.text = "dev/shop/default/a", .after = 0}});
  auto other = start({{.text = "dev/shop/default/a", .after = 0}}, node.token("admin"));
  log::Command command;
  command.mutable_revoke_token()->set_token_id(node.last_token_id());
  command.mutable_revoke_token()->set_user("admin");
  command.mutable_revoke_token()->set_expires_ms((node.clock().wall() + minutes(60)).time_since_epoch().count());
  node.must(std::move(command));
  const auto ended = other->value();
  ASSERT_TRUE(ended.refused);
  EXPECT_EQ(ended.refused->code, Code::unauthenticated);
  node.settle();
  EXPECT_FALSE(watching->done()) << "it has a token of its own";
}

TEST_F(Watching, AnExpiredTokenEndsIt) {
  auto watching = start({{.text = "dev/shop/default/a", .after = 0}}, node.token("admin", milliseconds(5)));
  EXPECT_FALSE(watching->done());
  node.clock().advance(milliseconds(5));
  const auto ended = watching->value();
  ASSERT_TRUE(ended.refused);
  EXPECT_EQ(ended.refused->code, Code::unauthenticated);
}

TEST_F(Watching, ATokenMayBeValidForLongerThanAnyWait) {
  auto watching =
      start({{.text = "dev/shop/default/a", .after = 0}}, node.token("admin", std::chrono::hours(24 * 365 * 400)));
  node.settle();  // would not return if the wait ended again and again
  EXPECT_FALSE(watching->done());
  EXPECT_EQ(node.view().waiters(), 1u);
}

TEST_F(Watching, WhoIsNoLongerAllowedIsToldNothingWhenTheNodeStopsEither) {
  const Grant grant{.role = Role::viewer, .scope = {.application = "shop"}};
  node.user("vera", {grant});
  const auto revision = publish("dev/shop/default/a");
  Watch watch(node.context(), node.as(node.token("vera")).session, {{.text = "dev/shop/default/a", .after = revision}});
  ASSERT_TRUE(watch.must_wait(node.clock().now() + minutes(1)));
  node.grant("vera", grant, true);
  publish("dev/shop/default/a", "secret");
  node.context().stopping = true;
  EXPECT_FALSE(watch.must_wait(node.clock().now() + minutes(1)));
  ASSERT_TRUE(watch.refused());
  EXPECT_EQ(watch.refused()->code, Code::permission_denied);
}

TEST_F(Watching, ALostGrantEndsItBeforeTheNextChange) {
  const Grant grant{.role = Role::viewer, .scope = {.application = "shop"}};
  node.user("vera", {grant});
  auto watching = start({{.text = "dev/shop/default/a", .after = 0}}, node.token("vera"));
  node.grant("vera", grant, true);
  const auto ended = watching->value();
  ASSERT_TRUE(ended.refused);
  EXPECT_EQ(ended.refused->code, Code::permission_denied);
}

TEST_F(Watching, ManyOnOneConfigAreAllAnswered) {
  const auto revision = publish("dev/shop/default/a");
  const std::string token = node.token("admin");
  std::vector<decltype(start({}))> watching;
  for (int i = 0; i < 500; ++i)
    watching.push_back(start({{.text = "dev/shop/default/a", .after = revision}}, token));
  EXPECT_EQ(node.view().waiters(), 500u);
  const auto next = publish("dev/shop/default/a", "y");
  for (auto& one : watching)
    EXPECT_THAT(one->value().revisions, ElementsAre(next));
}

TEST_F(Watching, AFullAnswerEndsWithAWholeRevision) {
  log::Command command;
  for (int i = 0; i < 10; ++i) {
    auto& one = *command.mutable_publish_configs()->add_configs();
    one.mutable_key()->set_environment("dev");
    one.mutable_key()->set_application("shop");
    one.mutable_key()->set_cluster("default");
    one.mutable_key()->set_name(std::to_string(i));
    one.set_format("text");
  }
  publish("dev/shop/default/first");
  const auto together = node.must(std::move(command)).revision();
  const auto last = publish("dev/shop/default/last");
  Watch watch(node.context(), node.admin().session, {{.text = "dev/", .prefix = true, .after = 0}});
  ASSERT_FALSE(watch.must_wait(node.clock().now() + minutes(1)));
  const auto first_part = watch.changes(3);
  EXPECT_EQ(first_part.releases.size(), 11u);
  EXPECT_EQ(first_part.revision, together);
  watch.advance(first_part.revision);
  const auto rest = watch.changes(3);
  ASSERT_EQ(rest.releases.size(), 1u);
  EXPECT_EQ(rest.releases[0]->revision, last);
  EXPECT_EQ(rest.revision, last);
}

TEST_F(Watching, WhoMayReadNothingThereMayNotWatch) {
  node.user("vera", {{.role = Role::viewer, .scope = {.environment = "dev", .application = "shop"}}});
  const Call vera = node.as(node.token("vera"));
  const auto allowed = [&](const Call& call, view::Interest interest) {
    return authorise_watch(node.context(), call, std::vector{std::move(interest)}).has_value();
  };
  EXPECT_TRUE(allowed(vera, {.text = "dev/shop/default/a"}));
  EXPECT_TRUE(allowed(vera, {.text = "dev/shop/", .prefix = true}));
  EXPECT_TRUE(allowed(vera, {.text = "dev/", .prefix = true}));
  EXPECT_TRUE(allowed(vera, {.text = "", .prefix = true}));
  EXPECT_FALSE(allowed(vera, {.text = "dev/other/default/a"}));
  EXPECT_FALSE(allowed(vera, {.text = "dev/other/", .prefix = true}));
  EXPECT_FALSE(allowed(vera, {.text = "prod/", .prefix = true}));
  EXPECT_FALSE(allowed(node.nobody(), {.text = "", .prefix = true}));
}

TEST_F(Watching, WhatIsNoKeyAndTooManyAreRefused) {
  const Call admin = node.admin();
  EXPECT_FALSE(authorise_watch(node.context(), admin, {}));
  EXPECT_FALSE(authorise_watch(node.context(), admin, std::vector<view::Interest>{{.text = "no-key"}}));
  std::vector<view::Interest> many(kMostInterests, {.text = "dev/a/b/c"});
  EXPECT_TRUE(authorise_watch(node.context(), admin, many));
  many.push_back({.text = "dev/a/b/c"});
  EXPECT_FALSE(authorise_watch(node.context(), admin, many));
}

TEST_F(Watching, APrefixThatNoKeyHasIsRefused) {
  const auto verdict = [&](std::size_t size) {
    return authorise_watch(node.context(), node.admin(),
                           std::vector<view::Interest>{{.text = std::string(size, 'x'), .prefix = true}});
  };
  EXPECT_TRUE(verdict(Limits{}.key()));
  const auto refused = verdict(Limits{}.key() + 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_LT(refused.error().message.size(), 200u);
}

}  // namespace
}  // namespace cc::service
