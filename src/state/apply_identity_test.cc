#include "state/state_test.h"

namespace cc::state {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Users : public StateTest {
 protected:
  log::Command set_password(const std::string& name, const std::string& hash) {
    auto command = commands.make();
    command.mutable_set_password()->set_name(name);
    command.mutable_set_password()->set_password_hash(hash);
    return command;
  }
  log::Command delete_user(const std::string& name) {
    auto command = commands.make();
    command.mutable_delete_user()->set_name(name);
    return command;
  }
  log::Command disable(const std::string& name, bool disabled = true) {
    auto command = commands.put_user(name, "");
    command.mutable_put_user()->set_disabled(disabled);
    return command;
  }
  User user(const std::string& name) {
    for (User& each : state->identity().value().users) {
      if (each.name == name) return each;
    }
    ADD_FAILURE() << "no user " << name;
    return {};
  }
};

TEST_F(Users, are_made_changed_and_deleted) {
  auto command = commands.put_user("li", "$argon2id$1");
  command.mutable_put_user()->set_display_name("李四");
  EXPECT_TRUE(apply(command).created());
  EXPECT_TRUE(commit().identity);
  User li = user("li");
  EXPECT_EQ(li.display_name, "李四");
  EXPECT_EQ(li.password_hash, "$argon2id$1");
  EXPECT_EQ(li.revision, revision());
  EXPECT_EQ(li.created.time_since_epoch().count(), command.time_ms());

  command = commands.put_user("li", "");  // no password: unchanged
  command.mutable_put_user()->set_display_name("Li Si");
  EXPECT_FALSE(done(command).created());
  EXPECT_EQ(user("li").password_hash, "$argon2id$1");
  EXPECT_EQ(user("li").token_epoch, li.token_epoch);

  done(delete_user("li"));
  EXPECT_THAT(state->identity().value().users, SizeIs(1));
  EXPECT_THAT(run(delete_user("li")), IsRefused(Code::not_found));
}

TEST_F(Users, keep_what_a_change_leaves_out_whoever_changed_it_last) {
  auto command = commands.put_user("li");
  command.mutable_put_user()->set_display_name("Li Si");
  done(command);
  done(disable("li"));
  done(commands.put_user("li", "$argon2id$2"));  // says nothing of the rest
  EXPECT_TRUE(user("li").disabled);
  EXPECT_EQ(user("li").display_name, "Li Si");
  EXPECT_EQ(audit({.action = "user.update"}).at(0).after,
            R"({"display_name":"Li Si","disabled":true,"password":"changed"})");
}

TEST_F(Users, need_a_password_when_they_are_made) {
  EXPECT_THAT(run(commands.put_user("li", "")), IsRefused(Code::invalid_argument));
}

TEST_F(Users, are_not_overwritten_by_making_them) {
  auto command = commands.put_user("admin");
  command.mutable_put_user()->set_create_only(true);
  EXPECT_THAT(run(command), IsRefused(Code::already_exists));
}

TEST_F(Users, a_new_password_ends_all_tokens) {
  done(commands.put_user("li"));
  EXPECT_EQ(user("li").token_epoch, revision());
  done(set_password("li", "$argon2id$2"));
  EXPECT_EQ(user("li").password_hash, "$argon2id$2");
  EXPECT_EQ(user("li").token_epoch, revision());

  done(commands.put_user("li", "$argon2id$3"));
  EXPECT_EQ(user("li").token_epoch, revision());
  EXPECT_THAT(run(set_password("nobody", "x")), IsRefused(Code::not_found));
}

TEST_F(Users, a_new_password_replaces_the_one_that_was_seen) {
  done(commands.put_user("li"));
  const Revision seen = user("li").token_epoch;
  auto first = set_password("li", "$argon2id$2"), second = set_password("li", "$argon2id$3");
  for (auto* command : {&first, &second})
    command->mutable_set_password()->set_epoch(seen);
  done(first);
  EXPECT_THAT(run(second), IsRefused(Code::conflict));
  EXPECT_EQ(user("li").password_hash, "$argon2id$2");
  done(set_password("li", "$argon2id$4"));  // who has seen nothing replaces whatever is there
}

TEST_F(Users, being_disabled_ends_all_tokens_and_being_enabled_brings_none_back) {
  done(commands.put_user("li"));
  done(disable("li"));
  const Revision disabled = revision();
  EXPECT_EQ(user("li").token_epoch, disabled);
  done(disable("li", false));
  EXPECT_FALSE(user("li").disabled);
  EXPECT_EQ(user("li").token_epoch, disabled);
}

TEST_F(Users, made_again_under_an_old_name_do_not_take_over_its_tokens_or_grants) {
  done(commands.put_user("li"));
  done(commands.grant("li", "publisher", "prod"));
  const Revision before = user("li").token_epoch;
  done(delete_user("li"));
  auto command = commands.put_user("li");
  command.set_time_ms(kStart);  // by a clock that was set back
  done(command);
  EXPECT_THAT(user("li").grants, IsEmpty());
  EXPECT_GT(user("li").token_epoch, before);
}

TEST_F(Users, are_granted_roles_and_lose_them) {
  done(commands.put_user("li"));
  EXPECT_TRUE(done(commands.grant("li", "developer", "dev")).created());
  done(commands.grant("li", "viewer"));
  EXPECT_THAT(user("li").grants, ElementsAre(Grant{Role::developer, {.environment = "dev"}}, Grant{Role::viewer, {}}));
  EXPECT_EQ(user("li").revision, revision());

  const auto was = revision();
  EXPECT_FALSE(done(commands.grant("li", "viewer")).created());  // is so already
  EXPECT_EQ(revision(), was);

  done(commands.grant("li", "viewer", "", true));
  EXPECT_THAT(user("li").grants, SizeIs(1));
  EXPECT_THAT(run(commands.grant("li", "viewer", "", true)), IsRefused(Code::not_found));
}

TEST_F(Users, grants_of_what_is_not_there_are_refused) {
  EXPECT_THAT(run(commands.grant("nobody", "viewer")), IsRefused(Code::not_found));
  EXPECT_THAT(run(commands.grant("admin", "emperor")), IsRefused(Code::invalid_argument));
  EXPECT_THAT(run(commands.grant("admin", "viewer", "pord")), IsRefused(Code::not_found));
}

TEST_F(Users, the_last_enabled_administrator_stays) {
  EXPECT_THAT(run(delete_user("admin")), IsRefused(Code::conflict));
  EXPECT_THAT(run(disable("admin")), IsRefused(Code::conflict));
  EXPECT_THAT(run(commands.grant("admin", "admin", "", true)), IsRefused(Code::conflict));

  done(commands.put_user("li"));
  done(commands.grant("li", "admin", "prod"));  // of one environment only
  EXPECT_THAT(run(delete_user("admin")), IsRefused(Code::conflict));

  done(commands.grant("li", "admin"));
  done(disable("li"));
  EXPECT_THAT(run(delete_user("admin")), IsRefused(Code::conflict));

  done(disable("li", false));
  done(delete_user("admin"));
  EXPECT_THAT(run(delete_user("li")), IsRefused(Code::conflict));
}

TEST_F(Users, no_hash_of_a_password_stands_in_the_audit) {
  done(commands.put_user("li", "$argon2id$secret"));
  done(set_password("li", "$argon2id$secret"));
  done(commands.put_user("li", "$argon2id$secret2"));
  for (const AuditRecord& record : audit())
    EXPECT_THAT(record.before + record.after + record.message, Not(HasSubstr("argon2id")));
  EXPECT_THAT(audit({.action = "user.password"}), SizeIs(1));
}

class Keys : public StateTest {
 protected:
  explicit Keys(Options options = {}) : StateTest(options) {}
  log::Command create(const std::string& id) {
    auto command = commands.make();
    auto& what = *command.mutable_create_access_key();
    what.set_id(id);
    what.set_secret_hash("hash-of-" + id);
    what.set_description("for the pods");
    what.set_application("shop");
    what.set_environment("prod");
    what.add_addresses("10.0.0.0/8");
    what.add_addresses("fd00::/8");
    what.set_expires_ms(kStart + 1'000'000);
    return command;
  }
  log::Command revoke(const std::string& id) {
    auto command = commands.make();
    command.mutable_revoke_access_key()->set_id(id);
    return command;
  }
};

TEST_F(Keys, are_created_with_all_that_limits_them) {
  EXPECT_TRUE(apply(create("ck_1")).created());
  EXPECT_TRUE(commit().identity);
  const AccessKey key = state->identity().value().keys.at(0);
  EXPECT_EQ(key.id, "ck_1");
  EXPECT_EQ(key.secret_hash, "hash-of-ck_1");
  EXPECT_EQ(key.description, "for the pods");
  EXPECT_EQ(key.application, "shop");
  EXPECT_EQ(key.environment, "prod");
  EXPECT_THAT(key.addresses, ElementsAre("10.0.0.0/8", "fd00::/8"));
  EXPECT_EQ(key.expires->time_since_epoch().count(), kStart + 1'000'000);
  EXPECT_EQ(key.created_by, "wang");
  EXPECT_FALSE(key.revoked);
  EXPECT_THAT(audit({.action = "key.create"}).at(0).after, Not(HasSubstr("hash-of")));
  EXPECT_THAT(run(create("ck_1")), IsRefused(Code::already_exists));
}

TEST_F(Keys, may_be_without_limits) {
  auto command = commands.make();
  command.mutable_create_access_key()->set_id("ck_2");
  command.mutable_create_access_key()->set_application("shop");
  done(command);
  const AccessKey key = state->identity().value().keys.at(0);
  EXPECT_THAT(key.addresses, IsEmpty());
  EXPECT_FALSE(key.expires);
  command = create("ck_3");
  command.mutable_create_access_key()->set_environment("pord");
  EXPECT_THAT(run(command), IsRefused(Code::not_found));
}

TEST_F(Keys, are_revoked) {
  done(create("ck_1"));
  done(revoke("ck_1"));
  EXPECT_TRUE(state->identity().value().keys.at(0).revoked);
  const auto was = revision();
  done(revoke("ck_1"));
  EXPECT_EQ(revision(), was);
  EXPECT_THAT(run(revoke("ck_9")), IsRefused(Code::not_found));
}

class FewKeys : public Keys {
 protected:
  FewKeys() : Keys({.keep_ended_keys = 2}) {}
};

TEST_F(FewKeys, that_have_ended_are_forgotten_the_oldest_first) {
  const auto ids = [&] {
    std::vector<std::string> all;
    for (const AccessKey& key : state->identity().value().keys)
      all.push_back(key.id);
    return all;
  };
  for (const char* id : {"ck_1", "ck_2", "ck_3", "ck_4", "ck_5"})
    done(create(id));
  for (const char* id : {"ck_4", "ck_1", "ck_2"})
    done(revoke(id));
  EXPECT_THAT(ids(), SizeIs(5));
  done(create("ck_6"));
  EXPECT_THAT(ids(), ElementsAre("ck_1", "ck_2", "ck_3", "ck_5", "ck_6"));

  auto late = create("ck_7");
  late.set_time_ms(kStart + 1'000'000);  // when all others expire
  late.mutable_create_access_key()->set_expires_ms(kStart + 2'000'000);
  done(late);
  EXPECT_THAT(ids(), ElementsAre("ck_2", "ck_6", "ck_7"));
}

class Tokens : public StateTest {
 protected:
  explicit Tokens(Options options = {}) : StateTest(options) {}
  log::Command revoke(const std::string& id, std::int64_t expires, const std::string& user = "li") {
    auto command = commands.make();
    command.mutable_revoke_token()->set_token_id(id);
    command.mutable_revoke_token()->set_user(user);
    command.mutable_revoke_token()->set_expires_ms(expires);
    return command;
  }
};

TEST_F(Tokens, are_revoked_until_they_would_expire) {
  auto command = revoke("t1", 0);
  command.mutable_revoke_token()->set_expires_ms(command.time_ms() + 500);
  apply(command);
  const Changes changes = commit();
  EXPECT_FALSE(changes.identity) << "nothing else needs to be loaded again";
  ASSERT_THAT(changes.revoked_tokens, SizeIs(1));
  EXPECT_EQ(changes.revoked_tokens[0].id, "t1");
  EXPECT_EQ(changes.revoked_tokens[0].expires.time_since_epoch().count(), command.time_ms() + 500);
  ASSERT_THAT(state->identity().value().revoked_tokens, SizeIs(1));
  EXPECT_EQ(state->identity().value().revoked_tokens[0].id, "t1");

  done(revoke("t2", kStart + 1'000'000));  // a second later the first is of no use
  ASSERT_THAT(state->identity().value().revoked_tokens, SizeIs(1));
  EXPECT_EQ(state->identity().value().revoked_tokens[0].id, "t2");
}

TEST_F(Tokens, that_are_revoked_are_forgotten_with_their_user_and_its_epoch) {
  for (const char* user : {"li", "wu"}) {
    done(commands.put_user(user));
    done(revoke(std::string("t1 of ") + user, kStart + 1'000'000, user));
    done(revoke(std::string("t2 of ") + user, kStart + 1'000'000, user));
  }
  auto command = commands.make();
  command.mutable_delete_user()->set_name("wu");
  done(command);
  EXPECT_THAT(state->identity().value().revoked_tokens, SizeIs(2));
  done(commands.put_user("li", "$argon2id$2"));
  EXPECT_THAT(state->identity().value().revoked_tokens, IsEmpty());
}

class FewTokens : public Tokens {
 protected:
  FewTokens() : Tokens({.revoked_tokens_per_user = 3}) { done(commands.put_user("li")); }
};

TEST_F(FewTokens, of_one_user_that_are_revoked_are_bounded_and_then_all_of_them_end) {
  const Revision epoch = state->identity().value().users.at(1).token_epoch;
  for (const char* id : {"t1", "t2", "t3"})
    done(revoke(id, kStart + 1'000'000));
  EXPECT_THAT(state->identity().value().revoked_tokens, SizeIs(3));
  EXPECT_EQ(state->identity().value().users.at(1).token_epoch, epoch);

  apply(revoke("t4", kStart + 1'000'000));
  const Changes changes = commit();
  EXPECT_TRUE(changes.identity);
  EXPECT_THAT(changes.revoked_tokens, IsEmpty());
  const Identity identity = state->identity().value();
  EXPECT_THAT(identity.revoked_tokens, IsEmpty());
  EXPECT_EQ(identity.users.at(1).token_epoch, revision());
  EXPECT_EQ(audit({.action = "token.revoke"}).at(0).after, R"({"token_id":"t4","all_tokens":"ended"})");
}

TEST_F(FewTokens, that_would_have_expired_do_not_count) {
  for (int i = 0; i < 10; ++i) {
    auto command = revoke("t" + std::to_string(i), 0);
    command.mutable_revoke_token()->set_expires_ms(command.time_ms() + 2500);
    apply(command);
    EXPECT_FALSE(commit().identity);
  }
}

class Audit : public StateTest {};

TEST_F(Audit, records_what_changed_nothing_without_a_revision) {
  auto command = commands.make();
  for (const char* outcome : {"done", "unauthenticated"}) {
    auto& one = *command.mutable_record_audit()->add_records();
    one.set_time_ms(kStart + 5);
    one.set_actor("li");
    one.set_address("10.1.1.1");
    one.set_request_id("login-1");
    one.set_action("login");
    one.set_target("li");
    one.set_outcome(outcome);
    one.set_message("wrong password");
  }
  command.mutable_record_audit()->mutable_records(1)->set_count(7);
  const auto was = revision();
  const auto before = audit().size();
  apply(command);
  EXPECT_FALSE(commit().identity);
  EXPECT_EQ(revision(), was);
  const auto records = audit();
  ASSERT_EQ(records.size(), before + 2);
  EXPECT_EQ(records[0].outcome, "unauthenticated");
  EXPECT_EQ(records[0].count, 7u);
  EXPECT_EQ(records[1].count, 1u);
  EXPECT_EQ(records[0].actor, "li");
  EXPECT_EQ(records[0].address, "10.1.1.1");
  EXPECT_EQ(records[0].request_id, "login-1");
  EXPECT_EQ(records[0].message, "wrong password");
  EXPECT_EQ(records[0].time.time_since_epoch().count(), kStart + 5);
  EXPECT_GT(records[0].id, records[1].id);
}

}  // namespace
}  // namespace cc::state
