// What the I/O threads are told of identities.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/token.h"
#include "node/state_machine_fixture.h"

namespace cc::node {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class IdentityMessages : public StateMachineFixture {
 protected:
  IdentityMessages() {
    deliver({commands_.initialize()});
    EXPECT_TRUE(machine_.go_live([this](MessagePtr message, std::move_only_function<void()> then) {
      last_ = std::move(message);
      if (then) then();
    }));
  }

  log::Command put_user(const std::string& name) { return commands_.put_user(name); }
  log::Command put_application(const std::string& name, const std::string& department) {
    log::Command command = commands_.make();
    command.mutable_put_application()->set_name(name);
    command.mutable_put_application()->set_department(department);
    return command;
  }
  log::Command revoke_token(const std::string& id) {
    log::Command command = commands_.make();
    command.mutable_revoke_token()->set_token_id(id);
    command.mutable_revoke_token()->set_user("admin");
    command.mutable_revoke_token()->set_expires_ms(state::kStart + 3'600'000);
    return command;
  }
  // Applies them as one batch, and takes what the I/O threads are told.
  MessagePtr deliver(const std::vector<log::Command>& commands) {
    for (const log::Command& command : commands)
      apply(command);
    StateMachineFixture::deliver();
    return last_;
  }

 private:
  MessagePtr last_;
};

TEST_F(IdentityMessages, a_change_brings_one_directory_for_all_of_them) {
  const MessagePtr message = deliver({put_user("li"), put_user("wu")});
  ASSERT_TRUE(message->directory);
  EXPECT_THAT(message->directory->users(), SizeIs(3));
}

TEST_F(IdentityMessages, what_changes_nobody_brings_none) {
  EXPECT_FALSE(deliver({state::Commands().publish("dev/shop/default/a", "x", "text")})->directory);
}

TEST_F(IdentityMessages, departments_that_stay_as_they_are_are_the_same_object) {
  const auto first = deliver({put_application("shop", "sales")})->directory->departments();
  EXPECT_EQ(first->at("shop"), "sales");
  EXPECT_EQ(deliver({put_user("li")})->directory->departments(), first);
  EXPECT_NE(deliver({put_application("shop", "finance")})->directory->departments(), first);
}

TEST_F(IdentityMessages, a_logout_brings_the_id_of_its_token_alone) {
  const MessagePtr message = deliver({revoke_token("t1"), revoke_token("t2")});
  EXPECT_FALSE(message->directory);
  EXPECT_THAT(message->revoked_tokens, SizeIs(2));
  EXPECT_TRUE(message->revoked_tokens.contains("t1"));
}

TEST_F(IdentityMessages, a_logout_beside_another_change_stands_in_the_directory) {
  const MessagePtr message = deliver({revoke_token("t1"), put_user("li")});
  ASSERT_TRUE(message->directory);
  EXPECT_THAT(message->revoked_tokens, IsEmpty());
  const std::string token = identity::issue_token({.user = "admin",
                                                   .token_id = "t1",
                                                   .epoch = message->directory->find_user("admin")->token_epoch,
                                                   .issued = Wall{},
                                                   .expires = Wall{} + std::chrono::hours(1)},
                                                  "a secret that is long enough for tests");
  EXPECT_FALSE(message->directory->authenticate("Bearer " + token, "", Wall{}));
}

}  // namespace
}  // namespace cc::node
