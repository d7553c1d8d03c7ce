#include "service/configs.h"

#include <gmock/gmock.h>

#include "base/bytes.h"
#include "service/drafts.h"
#include "service/releases.h"
#include "service/test_node.h"

namespace cc::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const ConfigKey kKey = ConfigKey::parse("dev/shop/default/application.yaml").value();

Result<Change> publish(TestNode& node, const Call& call, const std::string& content,
                       std::optional<Revision> expected = {}, const ConfigKey& key = kKey) {
  return node.run(service::publish(
      node.context(), call,
      {.key = key, .content = content, .format = std::nullopt, .comment = "why", .expected = expected}));
}

Code code_of(const auto& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Code::internal : result.error().code;
}

TEST(Publish, MakesTheFirstReleaseAndTheNext) {
  TestNode node;
  const auto first = publish(node, node.admin(), "a: 1\n");
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_EQ(first->published.size(), 1u);
  EXPECT_EQ(first->published[0].key, kKey.to_string());
  EXPECT_EQ(first->published[0].version, 1u);
  EXPECT_EQ(first->published[0].md5, md5_hex("a: 1\n"));
  EXPECT_EQ(first->published[0].sha256, sha256_hex("a: 1\n"));
  EXPECT_TRUE(first->created);
  const auto second = publish(node, node.admin(), "a: 2\n");
  EXPECT_EQ(second->published[0].version, 2u);
  EXPECT_GT(second->revision, first->revision);
  EXPECT_FALSE(second->created);
}

TEST(Publish, WhoPublishedReadsItAtOnce) {
  TestNode node;
  const Call admin = node.admin();
  const auto change = publish(node, admin, "a: 1\n");
  const auto release = read_config(node.context(), admin, kKey);
  ASSERT_TRUE(release && *release);
  EXPECT_EQ((*release)->content, "a: 1\n");
  EXPECT_EQ((*release)->revision, change->revision);
  EXPECT_EQ((*release)->author, "admin");
  EXPECT_EQ((*release)->comment, "why");
}

TEST(Publish, ARepetitionMakesNoSecondRelease) {
  TestNode node;
  const Call admin = node.admin();
  const auto first = publish(node, admin, "a: 1\n");
  const auto again = publish(node, admin, "a: 1\n");
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->published[0].version, 1u);
  EXPECT_EQ(again->revision, first->revision);
  EXPECT_EQ(node.view().find(kKey.to_string())->version, 1u);
}

TEST(Publish, OfTwoWhoSawTheSameRevisionOneWins) {
  TestNode node;
  const auto seen = publish(node, node.admin(), "a: 1\n")->revision;
  const Call one = node.admin(), other = node.admin();
  auto first = node.start(
      service::publish(node.context(), one,
                       {.key = kKey, .content = "a: 2\n", .format = std::nullopt, .comment = {}, .expected = seen}));
  auto second = node.start(
      service::publish(node.context(), other,
                       {.key = kKey, .content = "a: 3\n", .format = std::nullopt, .comment = {}, .expected = seen}));
  const auto a = first->value(), b = second->value();
  EXPECT_NE(a.has_value(), b.has_value());
  EXPECT_EQ((a ? b : a).error().code, Code::conflict);
  EXPECT_EQ(node.view().find(kKey.to_string())->version, 2u);
}

TEST(Publish, ExpectingNothingIsRefusedWhenThereIsSomething) {
  TestNode node;
  ASSERT_TRUE(publish(node, node.admin(), "a: 1\n", Revision{0}));
  EXPECT_EQ(code_of(publish(node, node.admin(), "a: 2\n", Revision{0})), Code::conflict);
}

TEST(Publish, ContentMustBeItsFormat) {
  TestNode node;
  const auto refused = publish(node, node.admin(), "a: 1\na: 2\n");
  ASSERT_EQ(code_of(refused), Code::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("application.yaml"));
  EXPECT_THAT(refused.error().message, HasSubstr("line 2"));
  EXPECT_THAT(refused.error().details, HasSubstr("\"line\":2"));
  EXPECT_EQ(node.view().find(kKey.to_string()), nullptr);
}

TEST(Publish, LargeContentIsCheckedToo) {
  TestNode node;
  std::string large = "a: 1\n";
  while (large.size() < 200'000)
    large += "key" + std::to_string(large.size()) + ": value\n";
  EXPECT_TRUE(publish(node, node.admin(), large));
  EXPECT_EQ(code_of(publish(node, node.admin(), large + "a: 2\n")), Code::invalid_argument);
}

TEST(Publish, TheFormatOfTheConfigStaysUntilAnotherIsGiven) {
  TestNode node;
  const ConfigKey key = ConfigKey::parse("dev/shop/default/settings").value();
  const auto with = [&](std::string content, std::optional<Format> format) {
    return node.run(
        service::publish(node.context(), node.admin(),
                         {.key = key, .content = std::move(content), .format = format, .comment = {}, .expected = {}}));
  };
  ASSERT_TRUE(with("{}", Format::json));
  EXPECT_EQ(code_of(with("no json", std::nullopt)), Code::invalid_argument);
  ASSERT_TRUE(with("no json", Format::text));
  EXPECT_EQ(node.view().find(key.to_string())->format, Format::text);
}

TEST(Publish, SizeAndCommentHaveLimits) {
  TestNode node;
  node.context().limits.content = 100;
  EXPECT_TRUE(publish(node, node.admin(), std::string(100, '#')));
  const auto large = publish(node, node.admin(), std::string(101, '#'));
  ASSERT_EQ(code_of(large), Code::exhausted);
  EXPECT_THAT(large.error().details, HasSubstr("\"limit_bytes\":100"));  // which makes it 413
  const auto long_comment = node.run(service::publish(
      node.context(), node.admin(),
      {.key = kKey, .content = "", .format = std::nullopt, .comment = std::string(4097, 'x'), .expected = {}}));
  EXPECT_EQ(code_of(long_comment), Code::invalid_argument);
}

TEST(Publish, NeedsThePermissionThereAndARefusalIsRecorded) {
  TestNode node;
  node.user("dora", {{.role = Role::developer}, {.role = Role::publisher, .scope = {.environment = "prod"}}});
  const Call dora = node.as(node.token("dora"));
  EXPECT_EQ(code_of(publish(node, dora, "a: 1\n")), Code::permission_denied);
  EXPECT_EQ(code_of(publish(node, node.nobody(), "a: 1\n")), Code::unauthenticated);
  EXPECT_TRUE(publish(node, dora, "a: 1\n", {}, ConfigKey::parse("prod/shop/default/a.yaml").value()));
  const auto refused = node.audited({.actor = "dora", .outcome = "permission_denied"});
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].action, "config.publish");
  EXPECT_EQ(refused[0].target, kKey.to_string());
}

TEST(Publish, IntoAnEnvironmentThatIsNotThereIsRefused) {
  TestNode node;
  EXPECT_EQ(code_of(publish(node, node.admin(), "", {}, ConfigKey::parse("pord/a/b/c").value())), Code::not_found);
}

TEST(PublishDraft, TakesContentAndFormatAndTheDraftIsGone) {
  TestNode node;
  const Call admin = node.admin();
  ASSERT_TRUE(node.run(
      save_draft(node.context(), admin, {.key = kKey, .content = "{}", .format = Format::json, .expected = {}})));
  const auto change = node.run(publish_draft(node.context(), node.admin(), {.key = kKey, .comment = "from draft"}));
  ASSERT_TRUE(change) << change.error().message;
  const auto release = node.view().find(kKey.to_string());
  EXPECT_EQ(release->content, "{}");
  EXPECT_EQ(release->format, Format::json);
  EXPECT_EQ(release->sha256, sha256_hex("{}"));
  EXPECT_EQ(code_of(node.run(read_draft(node.context(), admin, kKey))), Code::not_found);
  EXPECT_EQ(code_of(node.run(publish_draft(node.context(), node.admin(), {.key = kKey}))), Code::not_found);
}

TEST(PublishDraft, ARepetitionHasTheFirstOutcomeThoughTheDraftIsGone) {
  TestNode node;
  ASSERT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 1\n"})));
  const Call call = node.admin();
  const auto first = node.run(publish_draft(node.context(), call, {.key = kKey}));
  const auto again = node.run(publish_draft(node.context(), call, {.key = kKey}));
  ASSERT_TRUE(first && again) << again.error().message;
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->revision, first->revision);
}

TEST(PublishDraft, WhatIsNotItsFormatStaysADraft) {
  TestNode node;
  ASSERT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: [\n"})));
  EXPECT_EQ(code_of(node.run(publish_draft(node.context(), node.admin(), {.key = kKey}))), Code::invalid_argument);
  EXPECT_TRUE(node.run(read_draft(node.context(), node.admin(), kKey)));
}

TEST(PublishDraft, WhatWasSavedAfterTheCheckIsNotPublished) {
  TestNode node;
  ASSERT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 1\n"})));
  ASSERT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: [\n"})));
  log::Command command;  // as it was proposed before the second save
  auto& one = *command.mutable_publish_configs()->add_configs();
  one.mutable_key()->set_environment(kKey.environment);
  one.mutable_key()->set_application(kKey.application);
  one.mutable_key()->set_cluster(kKey.cluster);
  one.mutable_key()->set_name(kKey.name);
  one.set_from_draft(true);
  one.set_md5(md5_hex("a: 1\n"));
  one.set_format("yaml");
  EXPECT_EQ(code_of(node.run(propose(node.context(), node.admin(), std::move(command)))), Code::conflict);
  EXPECT_EQ(node.view().find(kKey.to_string()), nullptr);
}

TEST(PublishDraft, CanBeLimitedToTheDraftThatWasReviewed) {
  TestNode node;
  const auto reviewed = node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 1\n"}));
  const auto newer = node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 2\n"}));
  EXPECT_EQ(code_of(node.run(
                publish_draft(node.context(), node.admin(), {.key = kKey, .expected_draft = reviewed->revision}))),
            Code::conflict);
  EXPECT_TRUE(node.run(publish_draft(node.context(), node.admin(), {.key = kKey, .expected_draft = newer->revision})));
  EXPECT_EQ(node.view().find(kKey.to_string())->content, "a: 2\n");
}

TEST(Delete, LeavesATombstoneAndVersionsGoOn) {
  TestNode node;
  const Call admin = node.admin();
  publish(node, node.admin(), "a: 1\n");
  const auto deleted = node.run(delete_config(node.context(), node.admin(), kKey, "no longer", {}));
  ASSERT_TRUE(deleted);
  ASSERT_EQ(deleted->published.size(), 1u);
  EXPECT_EQ(deleted->published[0].version, 1u);
  const auto tombstone = read_config(node.context(), admin, kKey);
  ASSERT_TRUE(tombstone && *tombstone);
  EXPECT_TRUE((*tombstone)->deleted);
  EXPECT_EQ((*tombstone)->revision, deleted->revision);
  EXPECT_EQ(code_of(node.run(delete_config(node.context(), node.admin(), kKey, "", {}))), Code::not_found);
  EXPECT_EQ(publish(node, node.admin(), "a: 2\n")->published[0].version, 2u);
}

TEST(Delete, IsGuardedAndNeedsItsOwnPermission) {
  TestNode node;
  const auto revision = publish(node, node.admin(), "a: 1\n")->revision;
  EXPECT_EQ(code_of(node.run(delete_config(node.context(), node.admin(), kKey, "", revision - 1))), Code::conflict);
  node.user("dora", {{.role = Role::developer}});
  EXPECT_EQ(code_of(node.run(delete_config(node.context(), node.as(node.token("dora")), kKey, "", {}))),
            Code::permission_denied);
  EXPECT_TRUE(node.run(delete_config(node.context(), node.admin(), kKey, "", revision)));
}

TEST(Read, NeedsThePermissionThere) {
  TestNode node;
  publish(node, node.admin(), "a: 1\n");
  node.user("vera", {{.role = Role::viewer, .scope = {.application = "other"}}});
  EXPECT_EQ(code_of(read_config(node.context(), node.as(node.token("vera")), kKey)), Code::permission_denied);
  EXPECT_EQ(code_of(read_config(node.context(), node.nobody(), kKey)), Code::unauthenticated);
}

TEST(Read, EveryVersionStays) {
  TestNode node;
  publish(node, node.admin(), "a: 1\n");
  publish(node, node.admin(), "a: 2\n");
  EXPECT_EQ(node.run(read_release(node.context(), node.admin(), kKey, 1)).value().value->content, "a: 1\n");
  EXPECT_EQ(node.run(read_release(node.context(), node.admin(), kKey, 2)).value().value->content, "a: 2\n");
  EXPECT_EQ(code_of(node.run(read_release(node.context(), node.admin(), kKey, 3))), Code::not_found);
}

TEST(List, ShowsOnlyWhatTheCallerMayRead) {
  TestNode node;
  for (const char* key : {"dev/shop/default/a", "dev/other/default/b", "prod/shop/default/c"})
    ASSERT_TRUE(publish(node, node.admin(), "", {}, ConfigKey::parse(key).value()));
  node.user("vera", {{.role = Role::viewer, .scope = {.application = "shop"}}});
  const auto page = node.run(list_configs(node.context(), node.as(node.token("vera")), {}, {}));
  ASSERT_TRUE(page);
  std::vector<std::string> keys;
  for (const auto& item : page->items)
    keys.push_back(item.key);
  EXPECT_THAT(keys, ElementsAre("dev/shop/default/a", "prod/shop/default/c"));
  EXPECT_EQ(code_of(node.run(list_configs(node.context(), node.nobody(), {}, {}))), Code::unauthenticated);
}

TEST(Drafts, TwoEditorsDoNotOverwriteEachOther) {
  TestNode node;
  const auto first = node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 1\n"}));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->md5, md5_hex("a: 1\n"));
  ASSERT_TRUE(node.run(
      save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 2\n", .expected = first->revision})));
  EXPECT_EQ(code_of(node.run(save_draft(node.context(), node.admin(),
                                        {.key = kKey, .content = "a: 3\n", .expected = first->revision}))),
            Code::conflict);
  const auto draft = node.run(read_draft(node.context(), node.admin(), kKey));
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->content, "a: 2\n");
}

TEST(Drafts, MayBeUnfinishedAndWhoSavesThemIsTold) {
  TestNode node;
  const auto unfinished = node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 1\na: 2\n"}));
  ASSERT_TRUE(unfinished && unfinished->problem);
  EXPECT_THAT(unfinished->problem->message, HasSubstr("application.yaml: line 2"));
  EXPECT_THAT(unfinished->problem->details, HasSubstr("\"line\":2"));
  EXPECT_EQ(unfinished->md5, md5_hex("a: 1\na: 2\n"));
  EXPECT_EQ(node.run(read_draft(node.context(), node.admin(), kKey))->content, "a: 1\na: 2\n");
  const auto finished = node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 1\n"}));
  EXPECT_FALSE(finished->problem);
  EXPECT_EQ(finished->md5, md5_hex("a: 1\n"));
}

TEST(Drafts, AreTextAndNoLargerThanAConfigMayBe) {
  TestNode node;
  node.context().limits.content = 10;
  EXPECT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: [\n"})));
  EXPECT_EQ(code_of(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "\xff"}))),
            Code::invalid_argument);
  EXPECT_EQ(code_of(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = std::string(11, 'x')}))),
            Code::exhausted);
}

TEST(Drafts, KeepTheirFormatWhenSavedAgain) {
  TestNode node;
  ASSERT_TRUE(
      node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "x", .format = Format::text})));
  ASSERT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "y"})));
  EXPECT_EQ(node.run(read_draft(node.context(), node.admin(), kKey))->format, Format::text);
}

TEST(Drafts, AreSeenByNobodyWhoOnlyReads) {
  TestNode node;
  ASSERT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "x"})));
  node.user("vera", {{.role = Role::viewer}});
  const Call vera = node.as(node.token("vera"));
  EXPECT_EQ(code_of(node.run(read_draft(node.context(), vera, kKey))), Code::permission_denied);
  EXPECT_EQ(code_of(node.run(save_draft(node.context(), vera, {.key = kKey, .content = "y"}))),
            Code::permission_denied);
  EXPECT_EQ(code_of(node.run(list_drafts(node.context(), vera, {}, {}))), Code::permission_denied);
  EXPECT_EQ(node.run(list_drafts(node.context(), node.admin(), {}, {}))->items.size(), 1u);
  ASSERT_TRUE(node.run(discard_draft(node.context(), node.admin(), kKey)));
  EXPECT_TRUE(node.run(list_drafts(node.context(), node.admin(), {}, {}))->items.empty());
}

TEST(RollBack, IsANewReleaseWithTheOldContent) {
  TestNode node;
  for (const char* content : {"a: 1\n", "a: 2\n", "a: 3\n"})
    publish(node, node.admin(), content);
  const auto change = node.run(roll_back(node.context(), node.admin(), kKey, 1, "3 was wrong", {}));
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(change->published[0].version, 4u);
  const auto release = node.view().find(kKey.to_string());
  EXPECT_EQ(release->content, "a: 1\n");
  EXPECT_EQ(release->rolled_back_from, "1");
  EXPECT_EQ(code_of(node.run(roll_back(node.context(), node.admin(), kKey, 9, "", {}))), Code::not_found);
  EXPECT_EQ(code_of(node.run(roll_back(node.context(), node.admin(), kKey, 1, "", change->revision - 1))),
            Code::conflict);
  const auto history = node.run(service::history(node.context(), node.admin(), kKey, {}));
  ASSERT_TRUE(history);
  ASSERT_EQ(history->value.items.size(), 4u);
  EXPECT_EQ(history->value.items[0].rolled_back_from, 1u);
}

TEST(Compare, AnythingAgainstAnything) {
  TestNode node;
  publish(node, node.admin(), "a: 1\n");
  publish(node, node.admin(), "a: 2\n");
  ASSERT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 3\n"})));
  const auto sides = [&](const char* before, const char* after) {
    return node.run(
        contents(node.context(), node.admin(), kKey, Side::parse(before).value(), Side::parse(after).value()));
  };
  EXPECT_EQ(sides("1", "draft")->before, "a: 1\n");
  EXPECT_EQ(sides("1", "draft")->after, "a: 3\n");
  EXPECT_EQ(sides("draft", "published")->after, "a: 2\n");
  EXPECT_EQ(code_of(sides("1", "7")), Code::not_found);
  EXPECT_FALSE(Side::parse("0"));
  EXPECT_FALSE(Side::parse("1..2"));
  EXPECT_FALSE(Side::parse(""));
}

TEST(Compare, AFirstDraftAgainstNothing) {
  TestNode node;
  ASSERT_TRUE(node.run(save_draft(node.context(), node.admin(), {.key = kKey, .content = "a: 1\n"})));
  const auto sides = node.run(contents(node.context(), node.admin(), kKey, {}, {.kind = Side::Kind::draft}));
  ASSERT_TRUE(sides);
  EXPECT_EQ(sides->before, "");
  node.user("vera", {{.role = Role::viewer}});
  EXPECT_EQ(
      code_of(node.run(contents(node.context(), node.as(node.token("vera")), kKey, {}, {.kind = Side::Kind::draft}))),
      Code::permission_denied);
}

}  // namespace
}  // namespace cc::service
