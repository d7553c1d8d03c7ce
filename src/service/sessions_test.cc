#include "service/sessions.h"

#include <gtest/gtest.h>

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
  const auto key = identity::make_access_key();
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
}

TEST(Sessions, ARefreshTellsWhetherSomebodyWhoWaitsMayDoOtherThings) {
  TestNode node;
  node.user("vera", {{.role = Role::viewer}});
  node.user("paul", {{.role = Role::publisher}});
  auto& context = node.context();
  Sessions sessions;
  const auto held = *sessions.open(context.directory, node.token("vera"), "10.0.0.1", node.clock().wall());
  EXPECT_FALSE(sessions.refresh(context.directory, node.clock().wall()));

  node.grant("paul", {.role = Role::admin});
  EXPECT_FALSE(sessions.refresh(context.directory, node.clock().wall())) << "vera has nothing to do with it";
  node.grant("vera", {.role = Role::developer});
  EXPECT_TRUE(sessions.refresh(context.directory, node.clock().wall()));
  EXPECT_FALSE(sessions.refresh(context.directory, node.clock().wall())) << "told once";
}

}  // namespace
}  // namespace cc::service
