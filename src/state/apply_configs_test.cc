#include "base/text.h"
#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kKey = "prod/shop/default/application.yaml";

class Configs : public StateTest {};

TEST_F(Configs, publishing_makes_release_1_and_answers_what_it_is) {
  const Revision before = revision();
  auto command = commands.publish(kKey, "pool: 10\n");
  command.mutable_publish_configs()->set_comment("first");
  const auto outcome = done(command);

  ASSERT_EQ(outcome.published_size(), 1);
  const auto& published = outcome.published(0);
  EXPECT_EQ(published.key(), kKey);
  EXPECT_EQ(published.version(), 1);
  EXPECT_EQ(published.revision(), before + 1);
  EXPECT_EQ(published.md5(), md5_hex("pool: 10\n"));
  EXPECT_EQ(published.sha256(), sha256_hex("pool: 10\n"));
  EXPECT_EQ(published.format(), "yaml");
  EXPECT_EQ(published.size(), 9);
  EXPECT_EQ(outcome.revision(), before + 1);
  EXPECT_TRUE(outcome.created());

  const auto stored = release(kKey);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->key, key(kKey));
  EXPECT_EQ(stored->content, "pool: 10\n");
  EXPECT_EQ(stored->format, Format::yaml);
  EXPECT_EQ(stored->author, "wang");
  EXPECT_EQ(stored->comment, "first");
  EXPECT_EQ(stored->etag, "\"" + std::to_string(before + 1) + "\"");
  EXPECT_EQ(stored->time.time_since_epoch().count(), command.time_ms());
}

TEST_F(Configs, each_publish_is_the_next_version_and_revision_and_an_event) {
  apply(commands.publish(kKey, "a: 1\n"));
  apply(commands.publish(kKey, "a: 2\n"));
  apply(commands.publish("dev/shop/default/b.txt", "x", "text"));
  const Changes changes = commit();
  ASSERT_THAT(changes.events, SizeIs(3));
  EXPECT_EQ(changes.events[0].release->version, 1);
  EXPECT_EQ(changes.events[1].release->version, 2);
  EXPECT_EQ(changes.events[1].revision, changes.events[0].revision + 1);
  EXPECT_EQ(changes.events[2].revision, changes.events[1].revision + 1);
  EXPECT_EQ(changes.revision, changes.events[2].revision);
  EXPECT_FALSE(changes.identity);
  EXPECT_EQ(release(kKey)->content, "a: 2\n");
}

TEST_F(Configs, any_bytes_come_back_as_they_were) {
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes += static_cast<char>(i);
  for (const std::string& content : {std::string(), std::string("\0", 1), bytes, std::string(1 << 20, 'x')}) {
    done(commands.publish(kKey, content, "text"));
    EXPECT_EQ(release(kKey)->content, content);
  }
}

TEST_F(Configs, publishing_makes_the_application_and_the_cluster) {
  done(commands.publish("prod/new-shop/beijing/a.txt", "x", "text"));
  EXPECT_TRUE(queries.application("new-shop"));
  const auto clusters = queries.clusters("prod", "new-shop").value();
  ASSERT_THAT(clusters, SizeIs(1));
  EXPECT_EQ(clusters[0].name, "beijing");
  EXPECT_THAT(audit({.action = "application.create"}), SizeIs(1));
  EXPECT_THAT(audit({.action = "cluster.create"}), SizeIs(1));
}

TEST_F(Configs, an_environment_is_not_made_by_publishing) {
  const auto outcome = run(commands.publish("pord/shop/default/a.txt", "x", "text"));
  EXPECT_THAT(outcome, IsRefused(Code::not_found));
  EXPECT_THAT(outcome.message(), HasSubstr("dev, prod, staging"));
  EXPECT_THAT(releases(), IsEmpty());
}

TEST_F(Configs, what_the_writer_had_not_seen_is_not_overwritten) {
  const auto first = done(commands.publish(kKey, "a: 1\n")).revision();
  const auto second = done(commands.publish(kKey, "a: 2\n")).revision();

  auto late = commands.publish(kKey, "a: 3\n");
  late.mutable_publish_configs()->mutable_configs(0)->mutable_expected()->set_revision(first);
  const auto outcome = run(late);
  EXPECT_THAT(outcome, IsRefused(Code::conflict));
  EXPECT_THAT(outcome.details(), HasSubstr("\"revision\":" + std::to_string(second)));
  EXPECT_EQ(outcome.revision(), second);
  EXPECT_EQ(release(kKey)->content, "a: 2\n");

  auto in_time = commands.publish(kKey, "a: 3\n");
  in_time.mutable_publish_configs()->mutable_configs(0)->mutable_expected()->set_revision(second);
  EXPECT_EQ(done(in_time).published(0).version(), 3);
}

TEST_F(Configs, expecting_that_there_is_none_is_met_before_the_first_release_and_after_a_deletion) {
  const auto only_new = [&] {
    auto command = commands.publish(kKey, "a: 1\n");
    command.mutable_publish_configs()->mutable_configs(0)->mutable_expected()->set_revision(0);
    return command;
  };
  done(only_new());
  EXPECT_THAT(run(only_new()), IsRefused(Code::conflict));
  done(commands.remove(kKey));
  EXPECT_TRUE(done(only_new()).created());
}

TEST_F(Configs, a_publish_of_many_is_one_revision) {
  auto command = commands.publish(kKey, "a: 1\n");
  Commands::add(*command.mutable_publish_configs(), "prod/shop/default/b.json", "{}", "json");
  Commands::add(*command.mutable_publish_configs(), "prod/mail/default/c.yaml", "c: 1\n");
  command.mutable_publish_configs()->set_action("config.import");
  const Revision before = revision();
  const auto outcome = apply(command);
  EXPECT_EQ(outcome.published_size(), 3);
  const Changes changes = commit();
  ASSERT_THAT(changes.events, SizeIs(3));
  for (const Event& event : changes.events)
    EXPECT_EQ(event.revision, before + 1);
  EXPECT_EQ(revision(), before + 1);
  EXPECT_THAT(audit({.action = "config.import"}), SizeIs(3));
}

TEST_F(Configs, a_publish_of_many_is_all_or_nothing) {
  const auto was = revision();
  auto command = commands.publish(kKey, "a: 1\n");
  auto& last = Commands::add(*command.mutable_publish_configs(), "prod/shop/default/b.json", "{}", "json");
  last.mutable_expected()->set_revision(77);
  const auto outcome = apply(command);
  EXPECT_THAT(outcome, IsRefused(Code::conflict));
  EXPECT_EQ(outcome.published_size(), 0);
  const Changes changes = commit();
  EXPECT_THAT(changes.events, IsEmpty());
  EXPECT_EQ(revision(), was);
  EXPECT_THAT(releases(), IsEmpty());
  EXPECT_FALSE(queries.application("shop"));
}

TEST_F(Configs, one_key_twice_in_a_publish_is_refused) {
  auto command = commands.publish(kKey, "a: 1\n");
  Commands::add(*command.mutable_publish_configs(), kKey, "a: 2\n");
  EXPECT_THAT(run(command), IsRefused(Code::invalid_argument));
}

TEST_F(Configs, an_import_leaves_equal_configs_alone) {
  done(commands.publish(kKey, "a: 1\n"));
  const auto was = revision();
  auto command = commands.publish(kKey, "a: 1\n");
  command.mutable_publish_configs()->set_skip_unchanged(true);
  auto outcome = done(command);
  EXPECT_TRUE(outcome.published(0).unchanged());
  EXPECT_EQ(outcome.published(0).version(), 1);
  EXPECT_EQ(outcome.revision(), was);
  EXPECT_EQ(revision(), was);

  command = commands.publish(kKey, "a: 1\n", "text");  // another format is a change
  command.mutable_publish_configs()->set_skip_unchanged(true);
  outcome = done(command);
  EXPECT_FALSE(outcome.published(0).unchanged());
  EXPECT_EQ(outcome.published(0).version(), 2);
}

TEST_F(Configs, a_secret_one_stays_secret_until_it_is_said_not_to_be) {
  const auto publish = [&](std::optional<bool> secret) {
    auto command = commands.publish(kKey, "password: x\n");
    if (secret) command.mutable_publish_configs()->mutable_configs(0)->set_secret(*secret);
    done(command);
    return release(kKey)->secret;
  };
  EXPECT_FALSE(publish({}));
  EXPECT_TRUE(publish(true));
  EXPECT_TRUE(publish({})) << "as it was";
  done(commands.remove(kKey));
  EXPECT_TRUE(release(kKey)->secret) << "also of the tombstone";
  EXPECT_TRUE(publish({})) << "whoever makes it again may not know";
  EXPECT_FALSE(publish(false));

  // The versions are 1: not, 2 to 4: secret, 5: not.
  done(commands.roll_back(kKey, 2));
  EXPECT_TRUE(release(kKey)->secret) << "what is gone back to is";
  done(commands.roll_back(kKey, 1));
  EXPECT_TRUE(release(kKey)->secret) << "the config is";
  EXPECT_TRUE(queries.history(key(kKey), {}).value().items.front().secret);
  EXPECT_FALSE(queries.history(key(kKey), {}).value().items.back().secret);
}

TEST_F(Configs, an_import_that_makes_a_config_secret_is_a_change) {
  done(commands.publish(kKey, "a: 1\n"));
  const auto import = [&](bool secret) {
    auto command = commands.publish(kKey, "a: 1\n");
    command.mutable_publish_configs()->set_skip_unchanged(true);
    if (secret) command.mutable_publish_configs()->mutable_configs(0)->set_secret(true);
    return done(command).published(0).version();
  };
  EXPECT_EQ(import(false), 1);
  EXPECT_EQ(import(true), 2);
  EXPECT_EQ(import(true), 2);
  EXPECT_EQ(import(false), 2);
}

TEST_F(Configs, an_import_of_nothing_changes_nothing) {
  auto command = commands.make();
  command.mutable_publish_configs();
  const auto was = revision();
  EXPECT_EQ(done(command).revision(), was);
}

TEST_F(Configs, publishing_the_draft_takes_its_content_and_discards_it) {
  done(commands.save_draft(kKey, "{}", "json"));
  const auto outcome = done(commands.publish_draft(kKey, "{}", "json"));
  EXPECT_EQ(outcome.published(0).sha256(), sha256_hex("{}"));
  EXPECT_EQ(outcome.published(0).md5(), md5_hex("{}"));
  EXPECT_EQ(release(kKey)->format, Format::json);
  EXPECT_EQ(release(kKey)->content, "{}");
  EXPECT_EQ(queries.draft(key(kKey)).error().code, Code::not_found);
  EXPECT_THAT(run(commands.publish_draft(kKey, "{}", "json")), IsRefused(Code::not_found));
}

TEST_F(Configs, publishing_the_draft_takes_only_what_was_checked) {
  done(commands.save_draft(kKey, "a: 1\n", "yaml"));
  EXPECT_THAT(run(commands.publish_draft(kKey, "a: 0\n", "yaml")), IsRefused(Code::conflict));
  done(commands.save_draft(kKey, "a: 1\n", "json"));  // the same bytes, which nobody has parsed as JSON
  EXPECT_THAT(run(commands.publish_draft(kKey, "a: 1\n", "yaml")), IsRefused(Code::conflict));
  EXPECT_FALSE(release(kKey));
}

TEST_F(Configs, publishing_the_draft_can_be_limited_to_the_one_that_was_reviewed) {
  const Revision reviewed = done(commands.save_draft(kKey, "a: 1\n")).revision();
  done(commands.save_draft(kKey, "a: 2\n"));
  done(commands.save_draft(kKey, "a: 1\n"));  // as it was, but saved again
  auto command = commands.publish_draft(kKey, "a: 1\n");
  auto& expected = *command.mutable_publish_configs()->mutable_configs(0)->mutable_expected_draft();
  expected.set_revision(reviewed);
  EXPECT_THAT(run(command), IsRefused(Code::conflict));
  command = commands.publish_draft(kKey, "a: 1\n");
  command.mutable_publish_configs()->mutable_configs(0)->mutable_expected_draft()->set_revision(revision());
  done(command);
}

TEST_F(Configs, a_change_can_be_limited_to_what_exists) {
  const auto any = [](log::Expected& expected) { expected.set_any(true); };
  auto publish = commands.publish(kKey, "a: 1\n");
  any(*publish.mutable_publish_configs()->mutable_configs(0)->mutable_expected());
  EXPECT_THAT(run(publish), IsRefused(Code::conflict));
  auto save = commands.save_draft(kKey, "a: 1\n");
  any(*save.mutable_save_draft()->mutable_expected());
  EXPECT_THAT(run(save), IsRefused(Code::conflict));

  done(commands.publish(kKey, "a: 1\n"));
  done(commands.save_draft(kKey, "a: 1\n"));
  publish.set_request_id("another");
  done(publish);
  save.set_request_id("one more");
  done(save);
  done(commands.remove(kKey));
  auto roll_back = commands.roll_back(kKey, 1);
  any(*roll_back.mutable_roll_back_config()->mutable_expected());
  EXPECT_THAT(run(roll_back), IsRefused(Code::conflict));
}

TEST_F(Configs, publishing_other_content_leaves_the_draft) {
  done(commands.save_draft(kKey, "a: draft\n"));
  done(commands.publish(kKey, "a: 1\n"));
  EXPECT_EQ(queries.draft(key(kKey)).value().content, "a: draft\n");
}

TEST_F(Configs, deleting_leaves_a_tombstone) {
  done(commands.publish(kKey, "a: 1\n"));
  auto command = commands.remove(kKey);
  command.mutable_delete_config()->set_comment("no longer needed");
  const auto outcome = apply(command);
  EXPECT_EQ(outcome.published(0).version(), 1);
  const Changes changes = commit();
  ASSERT_THAT(changes.events, SizeIs(1));
  const Release& tombstone = *changes.events[0].release;
  EXPECT_TRUE(tombstone.deleted);
  EXPECT_EQ(tombstone.version, 1);
  EXPECT_EQ(tombstone.revision, outcome.revision());
  EXPECT_EQ(tombstone.content, "");
  EXPECT_EQ(tombstone.md5, "");
  EXPECT_EQ(tombstone.comment, "no longer needed");

  reopen();
  const auto stored = release(kKey);
  ASSERT_TRUE(stored);
  EXPECT_TRUE(stored->deleted);
  EXPECT_EQ(stored->revision, outcome.revision());

  EXPECT_THAT(run(commands.remove(kKey)), IsRefused(Code::not_found));
  EXPECT_EQ(done(commands.publish(kKey, "a: 2\n")).published(0).version(), 2);
}

TEST_F(Configs, deleting_is_guarded_like_a_publish) {
  EXPECT_THAT(run(commands.remove(kKey)), IsRefused(Code::not_found));
  const auto first = done(commands.publish(kKey, "a: 1\n")).revision();
  done(commands.publish(kKey, "a: 2\n"));
  auto late = commands.remove(kKey);
  late.mutable_delete_config()->mutable_expected()->set_revision(first);
  EXPECT_THAT(run(late), IsRefused(Code::conflict));
}

TEST_F(Configs, a_rollback_is_a_new_release_with_the_old_content) {
  done(commands.publish(kKey, "{}", "json"));
  done(commands.publish(kKey, "a: 2\n"));
  const auto outcome = done(commands.roll_back(kKey, 1));
  EXPECT_EQ(outcome.published(0).version(), 3);
  EXPECT_EQ(outcome.published(0).sha256(), sha256_hex("{}"));
  const auto stored = release(kKey);
  EXPECT_EQ(stored->content, "{}");
  EXPECT_EQ(stored->format, Format::json);
  EXPECT_EQ(stored->rolled_back_from, "1");
  EXPECT_THAT(run(commands.roll_back(kKey, 9)), IsRefused(Code::not_found));
  EXPECT_THAT(run(commands.roll_back("prod/shop/default/none", 1)), IsRefused(Code::not_found));
}

TEST_F(Configs, a_rollback_brings_a_deleted_config_back) {
  done(commands.publish(kKey, "a: 1\n"));
  done(commands.remove(kKey));
  const auto outcome = done(commands.roll_back(kKey, 1));
  EXPECT_EQ(outcome.published(0).version(), 2);
  EXPECT_TRUE(outcome.created());
  EXPECT_FALSE(release(kKey)->deleted);
  EXPECT_EQ(release(kKey)->content, "a: 1\n");
}

TEST_F(Configs, a_rollback_is_guarded_like_a_publish) {
  const auto first = done(commands.publish(kKey, "a: 1\n")).revision();
  done(commands.publish(kKey, "a: 2\n"));
  auto late = commands.roll_back(kKey, 1);
  late.mutable_roll_back_config()->mutable_expected()->set_revision(first);
  EXPECT_THAT(run(late), IsRefused(Code::conflict));
}

TEST_F(Configs, audit_says_who_did_what_from_where_before_and_after_without_content) {
  done(commands.publish(kKey, "password: hunter2\n"));
  done(commands.publish(kKey, "password: hunter3\n"));
  const auto records = audit({.action = "config.publish"});
  ASSERT_THAT(records, SizeIs(2));
  const AuditRecord& second = records[0];
  EXPECT_EQ(second.actor, "wang");
  EXPECT_EQ(second.address, "10.0.0.7");
  EXPECT_EQ(second.request_id, "request-3");
  EXPECT_EQ(second.target, kKey);
  EXPECT_EQ(second.outcome, "done");
  EXPECT_EQ(second.revision, revision());
  EXPECT_THAT(second.before, HasSubstr("\"version\":1"));
  EXPECT_THAT(second.after, HasSubstr("\"version\":2"));
  EXPECT_THAT(second.after, HasSubstr(sha256_hex("password: hunter3\n")));
  EXPECT_EQ(records[1].before, "");
  for (const AuditRecord& record : audit()) {
    EXPECT_THAT(record.before + record.after, testing::Not(HasSubstr("hunter")));
  }
}

TEST_F(Configs, a_refusal_leaves_its_audit_record_and_nothing_else) {
  const auto was = revision();
  const auto outcome = run(commands.remove(kKey));
  const auto records = audit();
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records[0].action, "config.delete");
  EXPECT_EQ(records[0].target, kKey);
  EXPECT_EQ(records[0].outcome, "not_found");
  EXPECT_EQ(records[0].message, outcome.message());
  EXPECT_EQ(records[0].revision, 0);
  EXPECT_EQ(revision(), was);
}

class Drafts : public StateTest {};

TEST_F(Drafts, are_kept_beside_the_release_they_were_started_from) {
  done(commands.publish(kKey, "a: 1\n"));
  const auto saved = done(commands.save_draft(kKey, "a: 2\n"));
  EXPECT_EQ(saved.published(0).key(), kKey);
  EXPECT_EQ(saved.published(0).revision(), revision());
  done(commands.publish(kKey, "a: other\n"));
  done(commands.save_draft(kKey, "a: 3\n"));

  const Draft draft = queries.draft(key(kKey)).value();
  EXPECT_EQ(draft.content, "a: 3\n");
  EXPECT_EQ(draft.size, 5);
  EXPECT_EQ(draft.md5, md5_hex("a: 3\n"));
  EXPECT_EQ(draft.base_version, 1);
  EXPECT_EQ(draft.author, "wang");
  EXPECT_EQ(release(kKey)->content, "a: other\n");
}

TEST_F(Drafts, may_come_before_the_first_release) {
  done(commands.save_draft(kKey, "a: 1\n"));
  EXPECT_EQ(queries.draft(key(kKey)).value().base_version, 0);
  EXPECT_THAT(releases(), IsEmpty());
  EXPECT_THAT(run(commands.save_draft("pord/a/b/c", "x", "text")), IsRefused(Code::not_found));
}

TEST_F(Drafts, of_two_editors_do_not_overwrite_each_other) {
  const auto first = done(commands.save_draft(kKey, "a: 1\n")).revision();
  auto mine = commands.save_draft(kKey, "a: 2\n");
  mine.mutable_save_draft()->mutable_expected()->set_revision(first);
  done(mine);
  auto yours = commands.save_draft(kKey, "a: 3\n");
  yours.mutable_save_draft()->mutable_expected()->set_revision(first);
  EXPECT_THAT(run(yours), IsRefused(Code::conflict));
}

TEST_F(Drafts, are_discarded_once) {
  done(commands.save_draft(kKey, "a: 1\n"));
  EXPECT_EQ(done(commands.discard_draft(kKey)).published(0).revision(), revision());
  EXPECT_THAT(run(commands.discard_draft(kKey)), IsRefused(Code::not_found));
}

TEST_F(Drafts, raise_no_event) {
  apply(commands.save_draft(kKey, "a: 1\n"));
  EXPECT_THAT(commit().events, IsEmpty());
}

}  // namespace
}  // namespace cc::state
