#include "model/grants.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "model/quote.h"

namespace cc {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles{{{Role::admin, "admin"},
                                                                   {Role::developer, "developer"},
                                                                   {Role::publisher, "publisher"},
                                                                   {Role::operator_, "operator"},
                                                                   {Role::viewer, "viewer"}}};

}  // namespace

std::string_view to_string(Role role) noexcept {
  for (const auto& [known, name] : kRoles) {
    if (known == role) return name;
  }
  return "viewer";
}

Result<Role> parse_role(std::string_view text) {
  for (const auto& [role, name] : kRoles) {
    if (name == text) return role;
  }
  return fail(Code::invalid_argument,
              fmt::format("no role {}; there are: admin, developer, publisher, operator, viewer", quoted(text)));
}

std::string_view to_string(Permission permission) noexcept {
  switch (permission) {
    case Permission::read:
      return "read";
    case Permission::read_draft:
      return "read_draft";
    case Permission::edit_draft:
      return "edit_draft";
    case Permission::publish:
      return "publish";
    case Permission::remove:
      return "remove";
    case Permission::manage_applications:
      return "manage_applications";
    case Permission::manage_environments:
      return "manage_environments";
    case Permission::manage_users:
      return "manage_users";
    case Permission::manage_keys:
      return "manage_keys";
    case Permission::read_audit:
      return "read_audit";
    case Permission::operate:
      return "operate";
  }
  return "unknown";
}

bool allows(Role role, Permission permission) noexcept {
  const auto drafts = permission == Permission::read_draft || permission == Permission::edit_draft;
  switch (role) {
    case Role::admin:
      return true;
    case Role::publisher:
      return permission == Permission::read || drafts || permission == Permission::publish ||
             permission == Permission::remove;
    case Role::developer:
      return permission == Permission::read || drafts;
    case Role::operator_:
      return permission == Permission::operate || permission == Permission::read_audit;
    case Role::viewer:
      return permission == Permission::read;
  }
  return false;
}

std::string Scope::to_string() const {
  std::string text;
  const auto add = [&](std::string_view what, const std::string& name) {
    if (!name.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, name);
  };
  add("environment", environment);
  add("application", application);
  add("department", department);
  return text.empty() ? "everywhere" : text;
}

}  // namespace cc
