#include "model/grants.h"

#include <array>

#include <gtest/gtest.h>

namespace cc {
namespace {

constexpr std::array kRoles{Role::admin, Role::developer, Role::publisher, Role::operator_, Role::viewer};
constexpr std::array kPermissions{Permission::read,
                                  Permission::read_draft,
                                  Permission::edit_draft,
                                  Permission::publish,
                                  Permission::remove,
                                  Permission::manage_applications,
                                  Permission::manage_environments,
                                  Permission::manage_users,
                                  Permission::manage_keys,
                                  Permission::read_audit,
                                  Permission::operate};

std::string permissions_of(Role role) {
  std::string text;
  for (const Permission permission : kPermissions) {
    if (allows(role, permission)) text.append(text.empty() ? "" : " ").append(to_string(permission));
  }
  return text;
}

TEST(Roles, AllowWhatTheyAreFor) {
  EXPECT_EQ(permissions_of(Role::admin),
            "read read_draft edit_draft publish remove manage_applications manage_environments manage_users "
            "manage_keys read_audit operate");
  EXPECT_EQ(permissions_of(Role::publisher), "read read_draft edit_draft publish remove");
  EXPECT_EQ(permissions_of(Role::developer), "read read_draft edit_draft");
  EXPECT_EQ(permissions_of(Role::viewer), "read");
  EXPECT_EQ(permissions_of(Role::operator_), "read_audit operate");
}

TEST(Roles, HaveNamesThatParse) {
  for (const Role role : kRoles)
    EXPECT_EQ(parse_role(to_string(role)), role);
  EXPECT_EQ(to_string(Role::operator_), "operator");
  const Result<Role> none = parse_role("root");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::invalid_argument);
  EXPECT_EQ(none.error().message, "no role \"root\"; there are: admin, developer, publisher, operator, viewer");
}

TEST(Scopes, SayWhereTheyHold) {
  EXPECT_EQ(Scope{}.to_string(), "everywhere");
  EXPECT_EQ((Scope{.environment = "prod"}).to_string(), "environment prod");
  EXPECT_EQ((Scope{.environment = "prod", .application = "shop"}).to_string(), "environment prod, application shop");
  EXPECT_EQ((Scope{.department = "支付"}).to_string(), "department 支付");
}

}  // namespace
}  // namespace cc
