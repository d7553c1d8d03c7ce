#include "service/users.h"

#include <gmock/gmock.h>

#include "service/test_node.h"

namespace cc::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Grant everywhere(Role role) {
  return {.role = role, .scope = {}};
}
Grant in_application(Role role, std::string application) {
  return {.role = role, .scope = {.environment = {}, .application = std::move(application), .department = {}}};
}

std::vector<std::string> names_of(const state::Page<User>& page) {
  std::vector<std::string> names;
  for (const User& user : page.items)
    names.push_back(user.name);
  return names;
}

class UsersTest : public testing::Test {
 protected:
  Result<Done> put(const Call& call, UserChange change) {
    return node.run(put_user(node.context(), call, std::move(change)));
  }
  Result<Done> change(const Call& call, const std::string& user, Grant grant, bool revoke = false) {
    return node.run(change_grant(node.context(), call, user, std::move(grant), revoke));
  }
  const User* find(std::string_view name) { return node.context().directory->find_user(name); }

  TestNode node;
  Call admin = node.admin();
  Call again() { return admin = node.admin(); }  // the same caller under a new request id
};

TEST_F(UsersTest, a_user_is_made_with_a_password_and_changed_member_by_member) {
  EXPECT_EQ(put(admin, {.name = "ann", .display_name = "Ann"}).error().code, Code::invalid_argument);
  EXPECT_TRUE(put(again(), {.name = "ann", .display_name = "Ann", .password = "password of ann"}).value().created);
  EXPECT_EQ(find("ann")->display_name, "Ann");
  EXPECT_FALSE(find("ann")->disabled);
  const std::string hash = find("ann")->password_hash;
  EXPECT_FALSE(put(again(), {.name = "ann", .disabled = true}).value().created);
  EXPECT_EQ(find("ann")->display_name, "Ann");
  EXPECT_TRUE(find("ann")->disabled);
  EXPECT_EQ(find("ann")->password_hash, hash);
  ASSERT_TRUE(put(again(), {.name = "ann", .display_name = "安"}));
  EXPECT_EQ(find("ann")->display_name, "安");
  EXPECT_TRUE(find("ann")->disabled);
}

TEST_F(UsersTest, a_change_does_not_undo_what_another_administrator_changed_meanwhile) {
  node.user("ann", {});
  const Call slow = node.admin();
  const auto changing =
      node.start(put_user(node.context(), slow, {.name = "ann", .display_name = "Ann", .password = "a new password"}));
  EXPECT_FALSE(changing->done()) << "a worker hashes the password";
  ASSERT_TRUE(put(again(), {.name = "ann", .disabled = true}));
  ASSERT_TRUE(changing->value());
  EXPECT_EQ(find("ann")->display_name, "Ann");
  EXPECT_TRUE(find("ann")->disabled);
}

TEST_F(UsersTest, a_display_name_gives_a_terminal_nothing_to_obey) {
  const auto refused = put(admin, {.name = "ann", .display_name = "\x1b[2J", .password = "password of ann"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
}

TEST_F(UsersTest, a_password_set_by_a_change_ends_the_users_tokens) {
  node.user("ann", {});
  const std::string token = node.token("ann");
  ASSERT_TRUE(put(again(), {.name = "ann", .password = "another password"}));
  EXPECT_FALSE(node.context().directory->authenticate(token, "", node.clock().wall()));
}

TEST_F(UsersTest, repeating_a_creation_under_its_request_id_has_one_outcome) {
  const UserChange ann{.name = "ann", .display_name = {}, .password = "password of ann"};
  const Done first = put(admin, ann).value();
  const std::string hash = find("ann")->password_hash;
  const Done second = put(admin, ann).value();
  EXPECT_TRUE(second.created);
  EXPECT_TRUE(second.repeated);
  EXPECT_EQ(second.revision, first.revision);
  EXPECT_EQ(find("ann")->password_hash, hash);
}

TEST_F(UsersTest, names_that_records_use_for_others_are_refused) {
  for (const char* name : {"anonymous", "system", "key:ck_1", "", "a/b", ".", " ann"}) {
    const auto refused = put(again(), {.name = name, .display_name = {}, .password = "a good password"});
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
  }
}

TEST_F(UsersTest, what_cannot_be_a_name_is_neither_deleted_nor_granted_anything) {
  for (const char* name : {"\xff", "", "a/b", "anonymous"}) {
    EXPECT_EQ(node.run(delete_user(node.context(), again(), name)).error().code, Code::invalid_argument);
    EXPECT_EQ(change(again(), name, everywhere(Role::viewer)).error().code, Code::invalid_argument);
  }
}

TEST_F(UsersTest, are_listed_by_name_page_by_page) {
  for (const char* name : {"dora", "ann", "carl", "bob"})
    node.user(name, {});
  state::PageRequest page{.limit = 2};
  const auto first = list_users(node.context(), admin, page).value();
  EXPECT_THAT(names_of(first), ElementsAre("admin", "ann"));
  page.cursor = first.next;
  const auto second = list_users(node.context(), admin, page).value();
  EXPECT_THAT(names_of(second), ElementsAre("bob", "carl"));
  page.cursor = second.next;
  const auto third = list_users(node.context(), admin, page).value();
  EXPECT_THAT(names_of(third), ElementsAre("dora"));
  EXPECT_EQ(third.next, "");
  page.cursor = "not one of ours!";
  EXPECT_EQ(list_users(node.context(), admin, page).error().code, Code::invalid_argument);
}

TEST_F(UsersTest, are_managed_by_administrators_only) {
  node.user("ann", {everywhere(Role::publisher)});
  node.user("bob", {});
  const Call ann = node.as(node.token("ann"));
  EXPECT_EQ(put(ann, {.name = "bob", .disabled = true}).error().code, Code::permission_denied);
  EXPECT_EQ(put(ann, {.name = "carl", .password = "a good password"}).error().code, Code::permission_denied);
  EXPECT_EQ(node.run(delete_user(node.context(), ann, "bob")).error().code, Code::permission_denied);
  EXPECT_EQ(change(ann, "ann", everywhere(Role::admin)).error().code, Code::permission_denied);
  EXPECT_EQ(list_users(node.context(), ann, {}).error().code, Code::permission_denied);
  EXPECT_EQ(read_user(node.context(), ann, "bob").error().code, Code::permission_denied);
  EXPECT_EQ(read_user(node.context(), ann, "nobody").error().code, Code::permission_denied);
  EXPECT_EQ(read_user(node.context(), ann, "ann").value().name, "ann") << "everyone may look at oneself";
  std::vector<std::string> refused;
  for (const AuditRecord& record : node.audited({.actor = "ann", .outcome = "permission_denied"}))
    refused.push_back(record.action + " " + record.target);
  EXPECT_THAT(refused,
              testing::UnorderedElementsAre("user.update bob", "user.create carl", "user.delete bob", "grant.add ann",
                                            "user.list ", "user.read bob", "user.read nobody"));
}

TEST_F(UsersTest, the_last_administrator_stays) {
  EXPECT_EQ(node.run(delete_user(node.context(), again(), "admin")).error().code, Code::conflict);
  EXPECT_EQ(put(again(), {.name = "admin", .disabled = true}).error().code, Code::conflict);
  EXPECT_EQ(change(again(), "admin", everywhere(Role::admin), true).error().code, Code::conflict);
  node.user("ann", {in_application(Role::admin, "shop")});
  EXPECT_EQ(node.run(delete_user(node.context(), again(), "admin")).error().code, Code::conflict)
      << "an administrator of one application is none of all";
  node.grant("ann", everywhere(Role::admin));
  EXPECT_TRUE(node.run(delete_user(node.context(), again(), "admin")));
  EXPECT_EQ(find("admin"), nullptr);
}

TEST_F(UsersTest, grants_are_given_once_and_taken_away) {
  node.user("ann", {});
  ASSERT_TRUE(change(again(), "ann", in_application(Role::viewer, "shop")));
  ASSERT_TRUE(change(again(), "ann", in_application(Role::viewer, "shop")));
  EXPECT_THAT(find("ann")->grants, ElementsAre(in_application(Role::viewer, "shop")));
  EXPECT_EQ(change(again(), "ann", in_application(Role::viewer, "other"), true).error().code, Code::not_found);
  ASSERT_TRUE(change(again(), "ann", in_application(Role::viewer, "shop"), true));
  EXPECT_THAT(find("ann")->grants, IsEmpty());
  EXPECT_EQ(change(again(), "nobody", everywhere(Role::viewer)).error().code, Code::not_found);
  EXPECT_EQ(change(again(), "ann", {.role = Role::viewer, .scope = {.environment = "pord"}}).error().code,
            Code::not_found);
  EXPECT_EQ(
      change(again(), "ann", {.role = Role::viewer, .scope = {.application = "a", .department = "b"}}).error().code,
      Code::invalid_argument);
}

TEST_F(UsersTest, an_administrator_of_an_application_grants_roles_there_and_nowhere_else) {
  node.user("ann", {in_application(Role::admin, "shop")});
  node.user("bob", {});
  const std::string token = node.token("ann");
  EXPECT_TRUE(change(node.as(token), "bob", in_application(Role::publisher, "shop")));
  EXPECT_TRUE(
      change(node.as(token), "bob", {.role = Role::viewer, .scope = {.environment = "prod", .application = "shop"}}));
  EXPECT_EQ(change(node.as(token), "bob", in_application(Role::viewer, "ledger")).error().code,
            Code::permission_denied);
  EXPECT_EQ(change(node.as(token), "bob", everywhere(Role::viewer)).error().code, Code::permission_denied);
  EXPECT_EQ(change(node.as(token), "ann", everywhere(Role::admin)).error().code, Code::permission_denied);
  EXPECT_TRUE(read_user(node.context(), node.as(token), "bob")) << "or nobody would know whom one grants to";
  EXPECT_EQ(put(node.as(token), {.name = "bob", .disabled = true}).error().code, Code::permission_denied);
}

}  // namespace
}  // namespace cc::service
