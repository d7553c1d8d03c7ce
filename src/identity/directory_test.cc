#include "identity/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "identity/token.h"

namespace cc::identity {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view kSecret = "a secret of at least thirty-two bytes";
const Wall kNow = Wall(1'767'225'600'678ms);

Grant grant(Role role, std::string environment = {}, std::string application = {}, std::string department = {}) {
  return {.role = role,
          .scope = {.environment = std::move(environment),
                    .application = std::move(application),
                    .department = std::move(department)}};
}

Caller user_with(std::vector<Grant> grants) {
  return {.kind = Caller::Kind::user,
          .name = "ann",
          .grants = std::move(grants),
          .departments = std::make_shared<const Departments>(Departments{{"shop", "sales"}, {"ledger", "finance"}})};
}

class DirectoryTest : public testing::Test {
 protected:
  Directory directory(bool anonymous_may_read = false) const {
    return {content, std::string(kSecret), anonymous_may_read};
  }

  static std::string token(std::string user, Revision epoch = 3, std::string id = "t-1") {
    return "Bearer " + issue_token({.user = std::move(user),
                                    .token_id = std::move(id),
                                    .epoch = epoch,
                                    .issued = kNow,
                                    .expires = kNow + 1h},
                                   kSecret);
  }
  AccessKey& add_key() {
    AccessKey& made = content.keys.emplace_back();
    made.id = key.id;
    made.secret_hash = key.secret_hash;
    made.application = "shop";
    return made;
  }
  void expect_refused(const std::string& authorization, std::string_view address = "10.0.0.1", Wall now = kNow) const {
    const auto result = directory().authenticate(authorization, address, now);
    ASSERT_FALSE(result) << authorization;
    EXPECT_EQ(result.error().code, Code::unauthenticated);
    EXPECT_EQ(result.error().message, "the token or access key is not valid here or has expired; log in again");
  }

  Directory::Content content{.users = {{.name = "ann", .grants = {grant(Role::publisher, "prod")}, .token_epoch = 3},
                                       {.name = "bob", .disabled = true, .token_epoch = 3}},
                             .keys = {},
                             .revoked_tokens = {},
                             .departments = std::make_shared<const Departments>(Departments{{"shop", "sales"}})};
  const NewAccessKey key = make_access_key(random_bytes(32));
};

TEST_F(DirectoryTest, a_token_is_its_user_with_the_grants_of_now) {
  const CallerPtr ann = directory().authenticate(token("ann"), "10.0.0.1", kNow).value();
  EXPECT_EQ(ann->kind, Caller::Kind::user);
  EXPECT_EQ(ann->name, "ann");
  EXPECT_EQ(ann->token_id, "t-1");
  EXPECT_EQ(ann->expires, kNow + 1h);
  EXPECT_TRUE(ann->may(Permission::publish, "prod", "shop"));
  content.users[0].grants.clear();
  EXPECT_FALSE(
      directory().authenticate(token("ann"), "10.0.0.1", kNow).value()->may(Permission::publish, "prod", "shop"));
}

TEST_F(DirectoryTest, the_scheme_is_bearer_in_any_case) {
  const std::string bare = token("ann").substr(7);
  EXPECT_TRUE(directory().authenticate("bearer " + bare, "", kNow));
  EXPECT_TRUE(directory().authenticate("BEARER  " + bare, "", kNow));
  expect_refused(bare);
  expect_refused("Basic " + bare);
  expect_refused("Bearer");
  expect_refused("Bearer ");
  expect_refused("Bearer " + std::string(100'000, 'A'));
}

TEST_F(DirectoryTest, a_revoked_token_is_refused_and_another_of_the_user_is_not) {
  content.revoked_tokens.emplace("t-1", kNow + 1h);
  expect_refused(token("ann"));
  EXPECT_TRUE(directory().authenticate(token("ann", 3, "t-2"), "", kNow));
  const Directory found = directory();
  EXPECT_FALSE(found.find_caller(found.read(token("ann", 3, "t-2"), kNow).value(), "", kNow, {{"t-2", kNow + 1h}}))
      << "revoked since";
}

TEST_F(DirectoryTest, a_token_ends_with_its_time_its_user_and_its_epoch) {
  expect_refused(token("ann"), "10.0.0.1", kNow + 1h);
  expect_refused(token("nobody"));
  expect_refused(token("bob"));
  content.users[0].token_epoch = 9;  // a new password, for instance
  expect_refused(token("ann", 3));
  expect_refused(token("ann", 10));
  EXPECT_TRUE(directory().authenticate(token("ann", 9), "", kNow));
}

TEST_F(DirectoryTest, what_was_read_once_is_looked_up_in_the_directory_and_the_time_of_now) {
  add_key();
  const Credential of_token = directory().read(token("ann"), kNow).value();
  const Credential of_key = directory().read("Bearer " + key.text, kNow).value();
  EXPECT_TRUE(directory().find_caller(of_token, "", kNow));
  EXPECT_FALSE(directory().find_caller(of_token, "", kNow + 1h)) << "expired";
  content.keys[0].addresses = {"10.0.0.0/8"};
  EXPECT_TRUE(directory().find_caller(of_key, "10.0.0.1", kNow));
  EXPECT_FALSE(directory().find_caller(of_key, "192.168.0.1", kNow));
  content.users[0].token_epoch = 9;
  content.keys[0].revoked = true;
  EXPECT_FALSE(directory().find_caller(of_token, "", kNow));
  EXPECT_FALSE(directory().find_caller(of_key, "10.0.0.1", kNow));
  EXPECT_FALSE(directory().read("Bearer x.y.z", kNow));
}

TEST_F(DirectoryTest, an_access_key_reads_its_application_and_nothing_else) {
  add_key();
  const CallerPtr caller = directory().authenticate("Bearer " + key.text, "10.0.0.1", kNow).value();
  EXPECT_EQ(caller->kind, Caller::Kind::access_key);
  EXPECT_EQ(caller->name, "key:" + key.id);
  EXPECT_EQ(caller->expires, Wall{});
  EXPECT_TRUE(caller->may(Permission::read, "prod", "shop"));
  EXPECT_TRUE(caller->may(Permission::read, "dev", "shop"));
  EXPECT_FALSE(caller->may(Permission::read, "prod", "ledger"));
  EXPECT_FALSE(caller->may(Permission::read));
  EXPECT_FALSE(caller->may(Permission::publish, "prod", "shop"));
}

TEST_F(DirectoryTest, an_access_key_of_one_environment_reads_no_other) {
  add_key().environment = "prod";
  const CallerPtr caller = directory().authenticate("Bearer " + key.text, "10.0.0.1", kNow).value();
  EXPECT_TRUE(caller->may(Permission::read, "prod", "shop"));
  EXPECT_FALSE(caller->may(Permission::read, "dev", "shop"));
}

TEST_F(DirectoryTest, an_access_key_is_good_from_its_addresses_only) {
  add_key().addresses = {"10.0.0.0/8", "::1"};
  EXPECT_TRUE(directory().authenticate("Bearer " + key.text, "10.1.2.3", kNow));
  EXPECT_TRUE(directory().authenticate("Bearer " + key.text, "::1", kNow));
  expect_refused("Bearer " + key.text, "192.168.0.1");
  expect_refused("Bearer " + key.text, "");
}

TEST_F(DirectoryTest, an_access_key_ends_when_it_expires_or_is_revoked) {
  add_key().expires = kNow + 1h;
  EXPECT_EQ(directory().authenticate("Bearer " + key.text, "", kNow).value()->expires, kNow + 1h);
  expect_refused("Bearer " + key.text, "", kNow + 1h);
  content.keys[0].revoked = true;
  expect_refused("Bearer " + key.text);
}

TEST_F(DirectoryTest, a_key_that_was_never_made_is_refused) {
  add_key();
  expect_refused("Bearer ck_");
  expect_refused("Bearer " + key.id);
  expect_refused("Bearer " + key.text + "0");
  expect_refused("Bearer " + make_access_key(random_bytes(32)).text);
}

TEST_F(DirectoryTest, anonymous_reads_only_where_a_setting_lets_it) {
  const CallerPtr off = directory().authenticate("", "10.0.0.1", kNow).value();
  EXPECT_EQ(off->kind, Caller::Kind::anonymous);
  EXPECT_EQ(off->name, "anonymous");
  EXPECT_FALSE(off->may(Permission::read, "prod", "shop"));
  EXPECT_EQ(off->require(Permission::read, "prod", "shop").error().code, Code::unauthenticated);

  const Directory open = directory(true);
  const CallerPtr on = open.authenticate("", "10.0.0.1", kNow).value();
  EXPECT_TRUE(on->may(Permission::read, "prod", "shop"));
  EXPECT_TRUE(on->may_somewhere(Permission::read));
  EXPECT_FALSE(on->may(Permission::publish, "prod", "shop"));
  EXPECT_TRUE(open.authenticate(token("ann"), "", kNow).value()->may(Permission::read, "dev", "shop"))
      << "who is logged in may not do less than who is not";
}

TEST_F(DirectoryTest, users_are_found_by_name) {
  const Directory found = directory();
  EXPECT_EQ(found.find_user("bob")->name, "bob");
  EXPECT_EQ(found.find_user("carl"), nullptr);
}

TEST(Caller, a_grant_holds_where_its_scope_says) {
  const Caller everywhere = user_with({grant(Role::publisher)});
  EXPECT_TRUE(everywhere.may(Permission::publish, "prod", "shop"));
  EXPECT_TRUE(everywhere.may(Permission::read));

  const Caller in_prod = user_with({grant(Role::publisher, "prod")});
  EXPECT_TRUE(in_prod.may(Permission::publish, "prod", "shop"));
  EXPECT_TRUE(in_prod.may(Permission::read, "prod"));
  EXPECT_FALSE(in_prod.may(Permission::publish, "dev", "shop"));
  EXPECT_FALSE(in_prod.may(Permission::read));

  const Caller of_shop = user_with({grant(Role::publisher, "", "shop")});
  EXPECT_TRUE(of_shop.may(Permission::publish, "prod", "shop"));
  EXPECT_TRUE(of_shop.may(Permission::read, "", "shop"));
  EXPECT_FALSE(of_shop.may(Permission::publish, "prod", "ledger"));
  EXPECT_FALSE(of_shop.may(Permission::read, "prod"));

  const Caller of_sales = user_with({grant(Role::publisher, "", "", "sales")});
  EXPECT_TRUE(of_sales.may(Permission::publish, "prod", "shop"));
  EXPECT_FALSE(of_sales.may(Permission::publish, "prod", "ledger"));
  EXPECT_FALSE(of_sales.may(Permission::publish, "prod", "of no department"));
  EXPECT_FALSE(of_sales.may(Permission::read, "prod"));

  const Caller shop_in_prod = user_with({grant(Role::publisher, "prod", "shop")});
  EXPECT_TRUE(shop_in_prod.may(Permission::publish, "prod", "shop"));
  EXPECT_FALSE(shop_in_prod.may(Permission::publish, "dev", "shop"));
  EXPECT_FALSE(shop_in_prod.may(Permission::publish, "prod", "ledger"));
}

TEST(Caller, roles_of_several_grants_do_not_mix) {
  const Caller caller = user_with({grant(Role::viewer), grant(Role::publisher, "dev")});
  EXPECT_TRUE(caller.may(Permission::read, "prod", "shop"));
  EXPECT_FALSE(caller.may(Permission::publish, "prod", "shop"));
  EXPECT_TRUE(caller.may(Permission::publish, "dev", "shop"));
}

TEST(Caller, sees_the_places_within_which_it_may_do_something) {
  const Caller shop_in_prod = user_with({grant(Role::viewer, "prod", "shop")});
  EXPECT_TRUE(shop_in_prod.may_somewhere(Permission::read));
  EXPECT_TRUE(shop_in_prod.may_somewhere(Permission::read, "prod"));
  EXPECT_FALSE(shop_in_prod.may_somewhere(Permission::read, "dev"));
  EXPECT_TRUE(shop_in_prod.may_somewhere(Permission::read, "", "shop"));
  EXPECT_FALSE(shop_in_prod.may_somewhere(Permission::read, "", "ledger"));
  EXPECT_FALSE(shop_in_prod.may_somewhere(Permission::publish));

  const Caller of_sales = user_with({grant(Role::viewer, "", "", "sales")});
  EXPECT_TRUE(of_sales.may_somewhere(Permission::read, "prod"));
  EXPECT_TRUE(of_sales.may_somewhere(Permission::read, "", "shop"));
  EXPECT_FALSE(of_sales.may_somewhere(Permission::read, "", "ledger"));
}

TEST(Caller, may_throughout_a_scope_only_when_a_grant_covers_all_of_it) {
  const Caller of_shop = user_with({grant(Role::admin, "", "shop")});
  EXPECT_TRUE(of_shop.may_throughout(Permission::manage_users, {.application = "shop"}));
  EXPECT_TRUE(of_shop.may_throughout(Permission::manage_users, {.environment = "prod", .application = "shop"}));
  EXPECT_FALSE(of_shop.may_throughout(Permission::manage_users, {}));
  EXPECT_FALSE(of_shop.may_throughout(Permission::manage_users, {.environment = "prod"}));
  EXPECT_FALSE(of_shop.may_throughout(Permission::manage_users, {.department = "sales"}));

  const Caller of_sales = user_with({grant(Role::admin, "", "", "sales")});
  EXPECT_TRUE(of_sales.may_throughout(Permission::manage_users, {.department = "sales"}));
  EXPECT_TRUE(of_sales.may_throughout(Permission::manage_users, {.application = "shop"}));
  EXPECT_FALSE(of_sales.may_throughout(Permission::manage_users, {.application = "ledger"}));
  EXPECT_FALSE(of_sales.may_throughout(Permission::manage_users, {}));
}

TEST(Caller, a_refusal_says_what_where_and_which_role_would_do) {
  const auto refused = user_with({grant(Role::viewer)}).require(Permission::publish, "prod", "shop");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::permission_denied);
  EXPECT_EQ(
      refused.error().message,
      "ann may not publish in environment prod, application shop; an administrator can grant the role publisher there");
  EXPECT_EQ(user_with({}).require(Permission::manage_users).error().message,
            "ann may not manage users and roles; an administrator can grant the role admin");
  const Caller key{.kind = Caller::Kind::access_key, .name = "key:ck_1", .grants = {}, .departments = {}};
  EXPECT_THAT(key.require(Permission::publish, "prod", "shop").error().message,
              HasSubstr("the access key ck_1 may not publish in environment prod, application shop"));
}

TEST(Caller, the_system_may_everything) {
  const Caller system{.kind = Caller::Kind::system, .name = "system", .grants = {}, .departments = {}};
  EXPECT_TRUE(system.may(Permission::operate));
  EXPECT_TRUE(system.require(Permission::publish, "prod", "shop"));
}

}  // namespace
}  // namespace cc::identity
