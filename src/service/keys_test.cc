#include "service/keys.h"

#include <gmock/gmock.h>

#include "service/test_node.h"

namespace cc::service {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class KeysTest : public testing::Test {
 protected:
  Result<CreatedKey> create(const Call& call, KeyRequest request) {
    return node.run(create_key(node.context(), call, std::move(request)));
  }
  Result<identity::CallerPtr> caller_of(const CreatedKey& key, std::string_view address = "10.0.0.1") {
    return node.context().directory->authenticate("Bearer " + key.text, address, node.clock().wall());
  }
  TestNode node;
};

TEST_F(KeysTest, a_new_key_reads_its_application_at_once) {
  const CreatedKey made = create(node.admin(), {.application = "shop", .description = "for tests"}).value();
  EXPECT_EQ(made.key.application, "shop");
  EXPECT_EQ(made.key.description, "for tests");
  EXPECT_EQ(made.key.created_by, "admin");
  const auto caller = caller_of(made).value();
  EXPECT_TRUE(caller->may(Permission::read, "dev", "shop"));
  EXPECT_FALSE(caller->may(Permission::read, "dev", "ledger"));
  EXPECT_FALSE(caller->may(Permission::publish, "dev", "shop"));
}

TEST_F(KeysTest, what_limits_a_key_holds) {
  const CreatedKey made = create(node.admin(), {.application = "shop",
                                                .environment = "prod",
                                                .description = {},
                                                .addresses = {"10.0.0.0/8", "fd00::/8"},
                                                .expires = node.clock().wall() + 1h})
                              .value();
  EXPECT_TRUE(caller_of(made, "10.1.2.3").value()->may(Permission::read, "prod", "shop"));
  EXPECT_FALSE(caller_of(made, "10.1.2.3").value()->may(Permission::read, "dev", "shop"));
  EXPECT_FALSE(caller_of(made, "192.168.0.1"));
  node.clock().advance(1h);
  EXPECT_FALSE(caller_of(made, "10.1.2.3"));
}

TEST_F(KeysTest, a_repeated_request_makes_one_key_and_shows_it_to_its_maker_again) {
  const Call call = node.admin();
  const CreatedKey first = create(call, {.application = "shop"}).value();
  const CreatedKey second = create(call, {.application = "shop"}).value();
  EXPECT_TRUE(second.repeated);
  EXPECT_EQ(second.text, first.text);
  EXPECT_EQ(node.context().directory->keys().size(), 1u);
  EXPECT_NE(create(node.admin(), {.application = "shop"}).value().text, first.text);

  node.user("bob", {{.role = Role::admin, .scope = {}}});
  Call other = node.as(node.token("bob"));
  other.request_id = call.request_id;
  EXPECT_NE(create(other, {.application = "shop"}).value().text, first.text) << "another's id is not a key to the key";
}

TEST_F(KeysTest, what_a_key_cannot_be_is_refused) {
  const std::vector<KeyRequest> bad = {{.application = ""},
                                       {.application = "a/b"},
                                       {.application = "shop", .environment = "a/b"},
                                       {.application = "shop", .description = std::string(5000, 'x')},
                                       {.application = "shop", .addresses = {"10.0.0.7/8"}},
                                       {.application = "shop", .addresses = std::vector<std::string>(101, "::1")},
                                       {.application = "shop", .expires = node.clock().wall()}};
  for (const KeyRequest& request : bad)
    EXPECT_EQ(create(node.admin(), request).error().code, Code::invalid_argument);
  EXPECT_EQ(create(node.admin(), {.application = "shop", .environment = "pord"}).error().code, Code::not_found);
  EXPECT_TRUE(node.context().directory->keys().empty());
}

TEST_F(KeysTest, a_revoked_key_is_refused_and_stays_listed) {
  const CreatedKey made = create(node.admin(), {.application = "shop"}).value();
  EXPECT_TRUE(node.run(revoke_key(node.context(), node.admin(), made.key.id)).value().key.revoked);
  EXPECT_FALSE(caller_of(made));
  EXPECT_TRUE(node.run(revoke_key(node.context(), node.admin(), made.key.id)));
  const auto listed = list_keys(node.context(), node.admin(), {}).value();
  ASSERT_EQ(listed.items.size(), 1u);
  EXPECT_TRUE(listed.items.front().revoked);
  EXPECT_EQ(node.run(revoke_key(node.context(), node.admin(), "ck_none")).error().code, Code::not_found);
}

TEST_F(KeysTest, are_managed_by_who_may_there) {
  const CreatedKey shop = create(node.admin(), {.application = "shop"}).value();
  const CreatedKey ledger = create(node.admin(), {.application = "ledger"}).value();
  node.user("ann", {{.role = Role::admin, .scope = {.application = "shop"}}});
  node.user("bob", {{.role = Role::publisher, .scope = {}}});
  const std::string ann = node.token("ann"), bob = node.token("bob");

  const auto seen = list_keys(node.context(), node.as(ann), {}).value();
  ASSERT_EQ(seen.items.size(), 1u);
  EXPECT_EQ(seen.items.front().id, shop.key.id);
  EXPECT_TRUE(create(node.as(ann), {.application = "shop"}));
  EXPECT_EQ(create(node.as(ann), {.application = "ledger"}).error().code, Code::permission_denied);
  EXPECT_EQ(node.run(revoke_key(node.context(), node.as(ann), ledger.key.id)).error().code, Code::permission_denied);
  EXPECT_EQ(node.run(revoke_key(node.context(), node.as(ann), "ck_none")).error().code, Code::permission_denied)
      << "who may not revoke a key is not told which there are";
  EXPECT_TRUE(node.run(revoke_key(node.context(), node.as(ann), shop.key.id)));

  EXPECT_EQ(list_keys(node.context(), node.as(bob), {}).error().code, Code::permission_denied);
  EXPECT_EQ(create(node.as(bob), {.application = "shop"}).error().code, Code::permission_denied);
}

TEST_F(KeysTest, no_record_holds_the_key) {
  const CreatedKey made = create(node.admin(), {.application = "shop"}).value();
  const std::string secret = made.text.substr(made.key.id.size() + 1);
  const auto records = node.audited({.action = "key.create"});
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records.front().target, made.key.id);
  EXPECT_THAT(records.front().after, HasSubstr("shop"));
  EXPECT_THAT(records.front().after, Not(HasSubstr(secret)));
  EXPECT_THAT(records.front().after, Not(HasSubstr(made.key.secret_hash)));
}

}  // namespace
}  // namespace cc::service
