#include "service/sessions.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "service/test_node.h"

namespace cc::service {
namespace {

TEST(Sessions, ACredentialThatWasSeenIsTheSameSession) {
  TestNode node;
  const std::string token = node.token("admin");
  EXPECT_EQ(node.as(token).session, node.as(token).session);
  EXPECT_EQ(node.as(token).caller, node.as(token).caller);
  EXPECT_NE(node.as(node.token("admin")).session, node.as(token).session);
}

TEST(Sessions, AnExpiredTokenIsNotBelievedThoughItWasSeen) {
  TestNode node;
  const std::string token = node.token("admin", std::chrono::minutes(5));
  auto& context = node.context();
  ASSERT_TRUE(context.sessions.open(context.directory, token, "10.0.0.1", node.clock().wall()));
  node.clock().advance(std::chrono::minutes(6));
  const auto session = context.sessions.open(context.directory, token, "10.0.0.1", node.clock().wall());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::unauthenticated);
}

TEST(Sessions, ARevokedTokenIsNotBelievedThoughItWasSeen) {
  TestNode node;
  const std::string token = node.token("admin");
  const Call before = node.as(token);
  log::Command command;
  command.mutable_revoke_token()->set_token_id(node.last_token_id());
  command.mutable_revoke_token()->set_user("admin");
  command.mutable_revoke_token()->set_expires_ms(
      (node.clock().wall() + std::chrono::hours(1)).time_since_epoch().count());
  node.must(std::move(command));
  auto& context = node.context();
  EXPECT_FALSE(context.sessions.open(context.directory, token, "10.0.0.1", node.clock().wall()));
  EXPECT_FALSE(before.session->caller(context.directory, node.clock().wall()));
}

TEST(Sessions, AKeyOfOneAddressIsRefusedFromAnother) {
  TestNode node;
  const auto key = identity::make_access_key(random_bytes(32));
  log::Command command;
  auto& create = *command.mutable_create_access_key();
  create.set_id(key.id);
  create.set_secret_hash(key.secret_hash);
  create.set_application("shop");
  create.add_addresses("10.0.0.0/24");
  log::Command application;
  application.mutable_put_application()->set_name("shop");
  node.must(std::move(application));
  node.must(std::move(command));
  auto& context = node.context();
  const std::string shown = "Bearer " + key.text;
  EXPECT_TRUE(context.sessions.open(context.directory, shown, "10.0.0.1", node.clock().wall()));
  EXPECT_FALSE(context.sessions.open(context.directory, shown, "10.0.1.1", node.clock().wall()));
  EXPECT_TRUE(context.sessions.open(context.directory, shown, "10.0.0.2", node.clock().wall()));
}

TEST(Sessions, OnlyThoseInUseAreRememberedBeyondTheLimit) {
  TestNode node;
  auto& context = node.context();
  Sessions sessions(4);
  std::vector<SessionPtr> held;
  const auto open = [&](int host) {
    return *sessions.open(context.directory, "", "10.0.0." + std::to_string(host), node.clock().wall());
  };
  for (int i = 0; i < 4; ++i)
    open(i);
  for (int i = 4; i < 20; ++i) {
    held.push_back(open(i));
    EXPECT_LE(sessions.size(), std::max<std::size_t>(4, held.size() + 4));
  }
  EXPECT_EQ(open(10), held[6]);
  held.clear();
  for (int i = 20; i < 100; ++i)
    open(i);
  EXPECT_LE(sessions.size(), 4u) << "as few as before there were so many in use";
}

// Something that waits in a session, and how often it was woken.
class Waiting {
 public:
  explicit Waiting(SessionPtr session) : session_(std::move(session)) { session_->add_wait(wake_); }
  ~Waiting() { session_->remove_wait(wake_); }
  int woken = 0;

 private:
  SessionPtr session_;
  std::function<void()> wake_ = [this] { ++woken; };
};

TEST(Sessions, WhoWaitsIsWokenWhenItMayDoOtherThingsAndNotByWhatConcernsOthers) {
  TestNode node;
  node.user("vera", {{.role = Role::viewer}});
  node.user("paul", {{.role = Role::publisher}});
  Waiting vera(node.as(node.token("vera")).session), paul(node.as(node.token("paul")).session);
  node.grant("paul", {.role = Role::admin});
  EXPECT_EQ(paul.woken, 1);
  EXPECT_EQ(vera.woken, 0);
  node.grant("vera", {.role = Role::developer});
  EXPECT_EQ(paul.woken, 1);
  EXPECT_EQ(vera.woken, 1);
}

TEST(Sessions, WhoWaitsIsWokenByWhatDepartmentsBecome) {
  TestNode node;
  node.user("vera", {{.role = Role::viewer, .scope = {.department = "sales"}}});
  Waiting vera(node.as(node.token("vera")).session);
  const auto put = [&](const std::string& owner, const std::string& department) {
    log::Command command;
    command.mutable_put_application()->set_name("shop");
    command.mutable_put_application()->set_owner(owner);
    command.mutable_put_application()->set_department(department);
    node.must(std::move(command));
  };
  put("ann", "sales");
  EXPECT_EQ(vera.woken, 1);
  const auto departments = node.context().directory->departments();
  put("bob", "sales");
  EXPECT_EQ(node.context().directory->departments(), departments) << "equal ones are not even compared by each session";
  EXPECT_EQ(vera.woken, 1);
  put("bob", "finance");
  EXPECT_EQ(vera.woken, 2);
}

TEST(Sessions, ALogoutEndsTheSessionsOfItsTokenAndLeavesAllElseAsItIs) {
  TestNode node;
  const std::string token = node.token("admin"), id = node.last_token_id(), other = node.token("admin");
  Call here = node.as(token);
  Waiting mine(here.session), others(node.as(other).session);
  const auto directory = node.context().directory;
  log::Command command;
  command.mutable_revoke_token()->set_token_id(id);
  command.mutable_revoke_token()->set_user("admin");
  command.mutable_revoke_token()->set_expires_ms(
      (node.clock().wall() + std::chrono::hours(1)).time_since_epoch().count());
  node.must(std::move(command));
  EXPECT_EQ(node.context().directory, directory) << "nobody has read all users for it";
  EXPECT_EQ(mine.woken, 1);
  EXPECT_EQ(others.woken, 0);
  EXPECT_FALSE(here.session->caller(node.context().directory, node.clock().wall()));
  EXPECT_ANY_THROW(node.as(token));
  EXPECT_NO_THROW(node.as(other));

  node.user("ann", {});
  EXPECT_NE(node.context().directory, directory);
  EXPECT_ANY_THROW(node.as(token)) << "the new directory knows";
}

TEST(Sessions, AllThatWaitsIsWokenWhenTheNodeStops) {
  TestNode node;
  Waiting one(node.as(node.token("admin")).session), other(node.nobody().session);
  stop_waiting(node.context());
  EXPECT_EQ(one.woken, 1);
  EXPECT_EQ(other.woken, 1);
}

}  // namespace
}  // namespace cc::service
