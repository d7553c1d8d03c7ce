#include "service/login.h"

#include <gmock/gmock.h>

#include "identity/password.h"
#include "service/test_node.h"
#include "service/users.h"

namespace cc::service {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class LoginTest : public testing::Test {
 protected:
  LoginTest() { make("ann", "password of ann"); }

  void make(const std::string& name, const std::string& password) {
    ASSERT_TRUE(node.run(put_user(node.context(), admin, {.name = name, .display_name = {}, .password = password})));
    admin = node.admin();
  }
  Result<Login> log_in(const std::string& user, const std::string& password, const std::string& address = "10.0.0.1") {
    Call call = node.nobody();
    call.address = address;
    return node.run(service::log_in(node.context(), call, user, password));
  }
  Result<identity::CallerPtr> caller_of(const Login& login) {
    Context& context = node.context();
    auto session = context.sessions.open(context.directory, "Bearer " + login.token, "10.0.0.1", node.clock().wall());
    if (!session) return fail(std::move(session).error());
    return (*session)->caller(context.directory, node.clock().wall());
  }
  AuditRecord last(const std::string& action) {
    const auto records = node.audited({.action = action});
    return records.empty() ? AuditRecord{} : records.front();
  }

  TestNode node;
  Call admin = node.admin();
};

TEST_F(LoginTest, the_right_password_is_answered_with_a_token_that_works) {
  const Login login = log_in("ann", "password of ann").value();
  EXPECT_EQ(login.user, "ann");
  EXPECT_EQ(login.expires, node.clock().wall() + 24h);
  const auto caller = caller_of(login).value();
  EXPECT_EQ(caller->name, "ann");
  EXPECT_EQ(caller->expires, login.expires);
  const AuditRecord record = last("login");
  EXPECT_EQ(record.actor, "ann");
  EXPECT_EQ(record.target, "ann");
  EXPECT_EQ(record.outcome, "done");
  EXPECT_EQ(record.address, "10.0.0.1");
}

TEST_F(LoginTest, a_wrong_password_an_unknown_and_a_disabled_user_are_told_the_same) {
  make("bob", "password of bob");
  ASSERT_TRUE(node.run(put_user(node.context(), admin, {.name = "bob", .disabled = true})));
  const auto wrong = log_in("ann", "a wrong password"), unknown = log_in("carl", "a wrong password"),
             disabled = log_in("bob", "password of bob"), empty = log_in("", "");
  for (const auto* result : {&wrong, &unknown, &disabled, &empty}) {
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().code, Code::unauthenticated);
    EXPECT_EQ(result->error().message, "the user name or the password is wrong");
  }
}

TEST_F(LoginTest, a_failure_is_recorded_under_the_name_of_a_user_but_not_under_any_other_text) {
  ASSERT_FALSE(log_in("ann", "a wrong password"));
  AuditRecord record = last("login");
  EXPECT_EQ(record.actor, "anonymous");
  EXPECT_EQ(record.target, "ann");
  EXPECT_EQ(record.outcome, "unauthenticated");
  ASSERT_FALSE(log_in("oops my password", "ann"));
  record = last("login");
  EXPECT_EQ(record.target, "(no such user)");
  for (const AuditRecord& one : node.audited()) {
    for (const std::string& text : {one.actor, one.target, one.message, one.before, one.after})
      EXPECT_THAT(text, Not(testing::AnyOf(HasSubstr("password of"), HasSubstr("wrong password"), HasSubstr("oops"),
                                           HasSubstr("argon2"))));
  }
}

TEST_F(LoginTest, repeated_failures_lock_the_user_for_a_while_and_nobody_else) {
  make("bob", "password of bob");
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(log_in("ann", "a wrong password", "10.0.1." + std::to_string(i)).error().code, Code::unauthenticated);
  const auto locked = log_in("ann", "password of ann");
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().code, Code::exhausted);
  EXPECT_EQ(locked.error().details, R"({"retry_after_seconds":600})");
  EXPECT_EQ(last("login").outcome, "exhausted");
  EXPECT_TRUE(log_in("bob", "password of bob"));
  node.clock().advance(10min);
  EXPECT_TRUE(log_in("ann", "password of ann"));
}

TEST_F(LoginTest, an_unknown_user_is_locked_like_one_who_is_known) {
  for (int i = 0; i < 5; ++i)
    ASSERT_FALSE(log_in("carl", "a wrong password"));
  EXPECT_EQ(log_in("carl", "a wrong password").error().code, Code::exhausted);
}

TEST_F(LoginTest, a_login_begins_the_count_again) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i)
      ASSERT_FALSE(log_in("ann", "a wrong password"));
    ASSERT_TRUE(log_in("ann", "password of ann")) << round;
  }
}

TEST_F(LoginTest, tries_sent_at_once_are_not_all_let_through) {
  const Call call = node.nobody();
  std::vector<decltype(node.start(service::log_in(node.context(), call, "", "")))> tries;
  for (int i = 0; i < 30; ++i)
    tries.push_back(node.start(service::log_in(node.context(), call, "ann", "a wrong password")));
  int looked_at = 0;
  for (const auto& one : tries)
    looked_at += one->value().error().code == Code::unauthenticated ? 1 : 0;
  EXPECT_GE(looked_at, 5);
  EXPECT_LE(looked_at, 6) << "one more for each further worker";
}

TEST_F(LoginTest, more_at_once_than_the_workers_may_be_kept_by_are_turned_away) {
  unsigned& working = node.context().working[static_cast<std::size_t>(Work::password)];
  working = 1000;
  const auto refused = log_in("ann", "password of ann");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  working = 0;
  EXPECT_TRUE(log_in("ann", "password of ann"));
  EXPECT_EQ(working, 0u);
}

TEST_F(LoginTest, a_user_who_is_disabled_while_the_password_is_looked_at_does_not_get_in) {
  const Call call = node.nobody();
  const auto trying = node.start(service::log_in(node.context(), call, "ann", "password of ann"));
  auto directory = identity::Directory::Content{.users = node.context().directory->users()};
  for (User& user : directory.users)
    user.disabled = true;
  replace_directory(node.context(), std::make_shared<identity::Directory>(std::move(directory), "secret", false));
  EXPECT_EQ(trying->value().error().code, Code::unauthenticated);
}

TEST_F(LoginTest, a_clock_that_was_set_back_neither_refuses_a_new_token_nor_spares_an_old_one) {
  const Login old = log_in("ann", "password of ann").value();
  node.clock().advance(-1h);
  ASSERT_TRUE(node.run(set_password(node.context(), admin, "ann", "a new password", {})));
  EXPECT_FALSE(caller_of(old)) << "issued an hour after the password was changed, by the clock";
  EXPECT_TRUE(caller_of(log_in("ann", "a new password").value()));
}

TEST_F(LoginTest, a_token_that_the_old_password_was_given_for_while_it_was_changed_ends_with_it) {
  node.machine().hold();
  const auto changing = node.start(set_password(node.context(), admin, "ann", "a new password", {}));
  node.until([&] { return node.machine().holds(); });  // committed, and known to nobody yet
  node.clock().advance(1ms);
  const Login late = log_in("ann", "password of ann").value();
  EXPECT_TRUE(caller_of(late));
  node.machine().release();
  ASSERT_TRUE(changing->value());
  EXPECT_FALSE(caller_of(late));
}

TEST_F(LoginTest, who_was_disabled_and_is_enabled_again_has_none_of_the_old_tokens) {
  const Login stolen = log_in("ann", "password of ann").value();
  ASSERT_TRUE(node.run(put_user(node.context(), admin, {.name = "ann", .disabled = true})));
  admin = node.admin();
  ASSERT_TRUE(node.run(put_user(node.context(), admin, {.name = "ann", .disabled = false})));
  EXPECT_FALSE(caller_of(stolen));
  EXPECT_TRUE(caller_of(log_in("ann", "password of ann").value()));
}

TEST_F(LoginTest, logging_out_ends_this_token_and_no_other) {
  const Login one = log_in("ann", "password of ann").value(), other = log_in("ann", "password of ann").value();
  ASSERT_TRUE(node.run(log_out(node.context(), node.as("Bearer " + one.token))));
  EXPECT_FALSE(caller_of(one));
  EXPECT_TRUE(caller_of(other));
  EXPECT_EQ(last("token.revoke").actor, "ann");
}

TEST_F(LoginTest, who_is_not_logged_in_does_not_log_out) {
  EXPECT_EQ(node.run(log_out(node.context(), node.nobody())).error().code, Code::unauthenticated);
  Call key = node.system();
  key.caller = std::make_shared<identity::Caller>(
      identity::Caller{.kind = identity::Caller::Kind::access_key, .name = "key:ck_1"});
  EXPECT_EQ(node.run(log_out(node.context(), key)).error().code, Code::invalid_argument);
}

TEST_F(LoginTest, ones_own_password_is_changed_with_the_current_one_and_ends_all_tokens) {
  const Login login = log_in("ann", "password of ann").value();
  const Call ann = node.as("Bearer " + login.token);
  EXPECT_EQ(node.run(set_password(node.context(), ann, "ann", "a new password", {})).error().code,
            Code::invalid_argument);
  EXPECT_EQ(node.run(set_password(node.context(), ann, "ann", "a new password", "wrong password")).error().code,
            Code::permission_denied);
  EXPECT_EQ(last("user.password").outcome, "permission_denied");
  EXPECT_EQ(node.run(set_password(node.context(), ann, "ann", "short", "password of ann")).error().code,
            Code::invalid_argument);
  EXPECT_TRUE(caller_of(login));
  ASSERT_TRUE(node.run(set_password(node.context(), ann, "ann", "a new password", "password of ann")));
  EXPECT_FALSE(caller_of(login));
  EXPECT_FALSE(log_in("ann", "password of ann"));
  EXPECT_TRUE(log_in("ann", "a new password"));
}

TEST_F(LoginTest, who_knew_the_old_password_does_not_set_one_after_it_was_changed) {
  const Call victim = node.as(node.token("ann")), thief = node.as(node.token("ann"));
  node.machine().hold();
  const auto changing =
      node.start(set_password(node.context(), victim, "ann", "the victim's new one", "password of ann"));
  node.until([&] { return node.machine().holds(); });  // committed, and known to nobody yet
  // The old password is right still, for all that this thread knows.
  const auto stealing = node.start(set_password(node.context(), thief, "ann", "the thief's own", "password of ann"));
  node.until([&] { return node.machine().holds(2); });
  node.machine().release();
  ASSERT_TRUE(changing->value());
  EXPECT_EQ(stealing->value().error().code, Code::conflict);
  EXPECT_FALSE(log_in("ann", "the thief's own"));
  EXPECT_TRUE(log_in("ann", "the victim's new one"));
}

TEST_F(LoginTest, an_administrator_sets_a_password_whatever_the_user_changes_it_to_meanwhile) {
  const Call ann = node.as(node.token("ann"));
  node.machine().hold();
  const auto changing = node.start(set_password(node.context(), ann, "ann", "a new password", "password of ann"));
  node.until([&] { return node.machine().holds(); });
  const auto taking = node.start(set_password(node.context(), admin, "ann", "the administrator's", {}));
  node.until([&] { return node.machine().holds(2); });
  node.machine().release();
  ASSERT_TRUE(changing->value());
  EXPECT_TRUE(taking->value());
  EXPECT_TRUE(log_in("ann", "the administrator's"));
}

TEST_F(LoginTest, who_is_logged_out_while_the_password_is_looked_at_changes_nothing) {
  const Login login = log_in("ann", "password of ann").value();
  const Call ann = node.as("Bearer " + login.token);
  const auto changing = node.start(set_password(node.context(), ann, "ann", "a new password", "password of ann"));
  EXPECT_FALSE(changing->done()) << "a worker looks at the password";
  auto content = identity::Directory::Content{.users = node.context().directory->users()};
  content.revoked_tokens.emplace(ann.caller->token_id, ann.caller->expires);
  replace_directory(node.context(),
                    std::make_shared<identity::Directory>(std::move(content), node.context().jwt_secret, false));
  EXPECT_EQ(changing->value().error().code, Code::unauthenticated);
  EXPECT_TRUE(log_in("ann", "password of ann"));
}

TEST_F(LoginTest, the_current_password_cannot_be_guessed_through_changing_it) {
  const Call ann = node.as(node.token("ann"));
  for (int i = 0; i < 5; ++i)
    ASSERT_FALSE(node.run(set_password(node.context(), ann, "ann", "a new password", "wrong password")));
  EXPECT_EQ(node.run(set_password(node.context(), ann, "ann", "a new password", "password of ann")).error().code,
            Code::exhausted);
}

TEST_F(LoginTest, an_administrator_sets_anyones_password_and_nobody_else_does) {
  make("bob", "password of bob");
  const Call bob = node.as(node.token("bob"));
  EXPECT_EQ(node.run(set_password(node.context(), bob, "ann", "a new password", "password of ann")).error().code,
            Code::permission_denied);
  EXPECT_EQ(last("user.password").actor, "bob");
  ASSERT_TRUE(node.run(set_password(node.context(), admin, "ann", "a new password", {})));
  EXPECT_TRUE(log_in("ann", "a new password"));
  EXPECT_EQ(node.run(set_password(node.context(), admin, "carl", "a new password", {})).error().code, Code::not_found);
}

}  // namespace
}  // namespace cc::service
