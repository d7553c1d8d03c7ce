#include "state/request.h"

#include <functional>
#include <set>

#include "state/state_test.h"

namespace cc::state {
namespace {

using Change = std::function<void(log::Command&)>;

constexpr auto kKey = "prod/shop/default/application.yaml";

// All of `changes` make another request of the command, each another one.
void expect_others(const log::Command& command, const std::vector<Change>& changes) {
  std::set<std::uint64_t> seen{fingerprint_of(command)};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    log::Command changed = command;
    changes[i](changed);
    EXPECT_TRUE(seen.insert(fingerprint_of(changed)).second) << "change " << i << " of " << command.ShortDebugString();
  }
}

// None of `changes` does: they are what the proposing node stamps or infers.
void expect_the_same(const log::Command& command, const std::vector<Change>& changes) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    log::Command changed = command;
    changes[i](changed);
    EXPECT_EQ(fingerprint_of(changed), fingerprint_of(command)) << "change " << i;
  }
}

log::PublishConfigs::One& one_of(log::Command& command) {
  return *command.mutable_publish_configs()->mutable_configs(0);
}

TEST(Fingerprint, of_a_publish_is_of_what_is_published_and_why_and_over_what) {
  const log::Command publish = Commands().publish(kKey, "a: 1\n");
  expect_others(
      publish,
      {[](auto& c) { one_of(c).set_sha256(sha256_hex("a: 2\n")); },
       [](auto& c) { c.mutable_publish_configs()->set_comment("why"); }, [](auto& c) { one_of(c).mutable_expected(); },
       [](auto& c) { one_of(c).mutable_expected()->set_revision(7); },
       [](auto& c) { one_of(c).mutable_expected()->set_any(true); }, [](auto& c) { one_of(c).set_format_given(true); },
       [](auto& c) { one_of(c).set_format_given(true), one_of(c).set_format("text"); },
       [](auto& c) { one_of(c).mutable_key()->set_name("other.yaml"); }, [](auto& c) { one_of(c).set_secret(true); },
       [](auto& c) { one_of(c).set_secret(false); },
       [](auto& c) { *c.mutable_publish_configs()->add_configs() = one_of(c); },
       [](auto& c) { c.mutable_publish_configs()->set_action("config.import"); },
       [](auto& c) { c.mutable_publish_configs()->set_skip_unchanged(true); }});
  expect_the_same(publish, {[](auto& c) { c.set_time_ms(1); }, [](auto& c) { c.set_address("10.9.9.9"); },
                            [](auto& c) { one_of(c).set_format("text"); }});
}

TEST(Fingerprint, of_a_published_draft_is_not_of_what_the_node_found_in_it) {
  const log::Command publish = Commands().publish_draft(kKey, "a: 1\n");
  expect_the_same(publish, {[](auto& c) { one_of(c).set_md5("no draft"), one_of(c).set_format("text"); }});
  expect_others(publish, {[](auto& c) { one_of(c).mutable_expected_draft()->set_revision(3); },
                          [](auto& c) { one_of(c).mutable_expected()->set_revision(3); },
                          [](auto& c) { one_of(c).set_from_draft(false); }});
}

TEST(Fingerprint, of_other_changes_of_configs) {
  Commands commands;
  expect_others(commands.save_draft(kKey, "a: 1\n"),
                {[](auto& c) { c.mutable_save_draft()->set_md5(md5_hex("a: 2\n")); },
                 [](auto& c) { c.mutable_save_draft()->mutable_expected(); },
                 [](auto& c) { c.mutable_save_draft()->set_format_given(true); }});
  expect_the_same(commands.save_draft(kKey, "a: 1\n"), {[](auto& c) { c.mutable_save_draft()->set_format("text"); }});
  expect_others(commands.roll_back(kKey, 1), {[](auto& c) { c.mutable_roll_back_config()->set_to_version(2); },
                                              [](auto& c) { c.mutable_roll_back_config()->set_comment("why"); },
                                              [](auto& c) { c.mutable_roll_back_config()->mutable_expected(); }});
  expect_others(commands.remove(kKey), {[](auto& c) { c.mutable_delete_config()->set_comment("why"); },
                                        [](auto& c) { c.mutable_delete_config()->mutable_expected()->set_revision(1); },
                                        [](auto& c) { c = Commands().discard_draft(kKey); }});
}

TEST(Fingerprint, of_places_is_of_the_members_that_were_given) {
  log::Command command;
  command.mutable_put_application()->set_name("shop");
  expect_others(command, {[](auto& c) { c.mutable_put_application()->set_department(""); },
                          [](auto& c) { c.mutable_put_application()->set_department("sales"); },
                          [](auto& c) { c.mutable_put_application()->set_owner("sales"); },
                          [](auto& c) { c.mutable_put_application()->set_description("sales"); },
                          [](auto& c) { c.mutable_put_environment()->set_name("shop"); }});
  expect_the_same(command, {[](auto& c) { c.mutable_put_application()->set_create_only(true); }});
  command.mutable_put_environment()->set_name("test");
  expect_others(command, {[](auto& c) { c.mutable_put_environment()->set_description(""); },
                          [](auto& c) { c.mutable_delete_environment()->set_name("test"); }});
  command.mutable_put_cluster()->set_name("beijing");
  expect_others(command, {[](auto& c) { c.mutable_put_cluster()->set_description(""); },
                          [](auto& c) { c.mutable_put_cluster()->set_environment("dev"); },
                          [](auto& c) { c.mutable_put_cluster()->set_application("dev"); }});
}

TEST(Fingerprint, of_identities_is_of_no_hash_and_no_id) {
  log::Command command = Commands().put_user("li", "$argon2id$1");
  expect_the_same(command, {[](auto& c) { c.mutable_put_user()->set_password_hash("$argon2id$2"); }});
  expect_others(command, {[](auto& c) { c.mutable_put_user()->set_password_hash(""); },
                          [](auto& c) { c.mutable_put_user()->set_display_name("Li"); },
                          [](auto& c) { c.mutable_put_user()->set_disabled(true); },
                          [](auto& c) { c.mutable_put_user()->set_disabled(false); }});
  command.mutable_set_password()->set_name("li");
  expect_the_same(command, {[](auto& c) { c.mutable_set_password()->set_password_hash("$argon2id$2"); },
                            [](auto& c) { c.mutable_set_password()->set_epoch(3); }});
  expect_others(Commands().grant("li", "viewer"),
                {[](auto& c) { c.mutable_change_grant()->set_revoke(true); },
                 [](auto& c) { c.mutable_change_grant()->set_role("admin"); },
                 [](auto& c) { c.mutable_change_grant()->mutable_scope()->set_environment("dev"); },
                 [](auto& c) { c.mutable_change_grant()->mutable_scope()->set_application("dev"); },
                 [](auto& c) { c.mutable_change_grant()->mutable_scope()->set_department("dev"); }});
  command.mutable_create_access_key()->set_application("shop");
  expect_the_same(command, {[](auto& c) { c.mutable_create_access_key()->set_id("ck_2"); },
                            [](auto& c) { c.mutable_create_access_key()->set_secret_hash("x"); }});
  expect_others(command, {[](auto& c) { c.mutable_create_access_key()->set_environment("dev"); },
                          [](auto& c) { c.mutable_create_access_key()->set_description("dev"); },
                          [](auto& c) { c.mutable_create_access_key()->add_addresses("dev"); },
                          [](auto& c) { c.mutable_create_access_key()->set_expires_ms(1); }});
}

TEST(Fingerprint, does_not_mistake_where_one_text_ends_and_the_next_begins) {
  log::Command command;
  command.mutable_put_cluster()->set_environment("a");
  command.mutable_put_cluster()->set_application("1:b");
  expect_others(command, {[](auto& c) {
                  c.mutable_put_cluster()->set_environment("a1:");
                  c.mutable_put_cluster()->set_application("b");
                }});
}

TEST(Fingerprint, is_the_same_in_all_versions) {
  EXPECT_EQ(fingerprint_of(Commands().publish(kKey, "a: 1\n")), 0xd83d6520a9396196u);
  EXPECT_EQ(fingerprint_of(Commands().remove(kKey)), 0x7433b544210c4d8cu);
}

TEST(Target, names_what_is_to_be_changed) {
  EXPECT_EQ(target_of(Commands().publish(kKey, "a: 1\n")), kKey);
  EXPECT_EQ(target_of(Commands().put_user("li")), "li");
}

}  // namespace
}  // namespace cc::state
