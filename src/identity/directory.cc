#include "identity/directory.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "identity/address.h"
#include "identity/token.h"

namespace cc::identity {
namespace {

constexpr std::size_t kLongestAuthorization = 8192;

std::string_view department_of(const Caller& caller, std::string_view application) {
  if (!caller.departments || application.empty()) return {};
  const auto at = caller.departments->find(std::string(application));
  return at == caller.departments->end() ? std::string_view() : std::string_view(at->second);
}

// Whether the application belongs to the department that a grant wants, if it wants one: most want none, and then
// nothing is looked up.
bool belongs(const Caller& caller, std::string_view application, std::string_view wanted) {
  return wanted.empty() || wanted == department_of(caller, application);
}

// Whether a grant's wish for `wanted` is met by `given`, which is "" when the question is not about one.
bool holds(std::string_view wanted, std::string_view given) {
  return wanted.empty() || wanted == given;
}

// Whether it may be met by something within `given`, which is "" for any.
bool may_hold(std::string_view wanted, std::string_view given) {
  return wanted.empty() || given.empty() || wanted == given;
}

std::string_view phrase(Permission permission) {
  switch (permission) {
    case Permission::read:
      return "read";
    case Permission::read_draft:
      return "read drafts";
    case Permission::edit_draft:
      return "edit drafts";
    case Permission::publish:
      return "publish";
    case Permission::remove:
      return "delete configs";
    case Permission::manage_applications:
      return "manage applications and clusters";
    case Permission::manage_environments:
      return "manage environments";
    case Permission::manage_users:
      return "manage users and roles";
    case Permission::manage_keys:
      return "manage access keys";
    case Permission::read_audit:
      return "read the audit records";
    case Permission::operate:
      return "operate the cluster";
  }
  return to_string(permission);
}

// The role that gives the permission and as little else as possible.
Role least_role(Permission permission) {
  for (const Role role : {Role::viewer, Role::developer, Role::publisher, Role::operator_}) {
    if (allows(role, permission)) return role;
  }
  return Role::admin;
}

std::unexpected<Error> not_authenticated() {
  return fail(Code::unauthenticated, "the token or access key is not valid here or has expired; log in again");
}

bool is_bearer(std::string_view scheme) {
  constexpr std::string_view kBearer = "bearer ";
  return scheme.size() > kBearer.size() && equal_ignoring_case(scheme.substr(0, kBearer.size()), kBearer);
}

}  // namespace

bool Caller::may(Permission permission, std::string_view environment, std::string_view application) const {
  if (kind == Kind::system || (anonymous_may_read && permission == Permission::read)) return true;
  return std::ranges::any_of(grants, [&](const Grant& grant) {
    return allows(grant.role, permission) && holds(grant.scope.environment, environment) &&
           holds(grant.scope.application, application) && belongs(*this, application, grant.scope.department);
  });
}

bool Caller::may_somewhere(Permission permission, std::string_view environment, std::string_view application) const {
  if (kind == Kind::system || (anonymous_may_read && permission == Permission::read)) return true;
  return std::ranges::any_of(grants, [&](const Grant& grant) {
    return allows(grant.role, permission) && may_hold(grant.scope.environment, environment) &&
           may_hold(grant.scope.application, application) &&
           (application.empty() || belongs(*this, application, grant.scope.department));
  });
}

bool Caller::may_throughout(Permission permission, const Scope& scope) const {
  if (kind == Kind::system) return true;
  const std::string_view department =
      scope.department.empty() ? department_of(*this, scope.application) : scope.department;
  return std::ranges::any_of(grants, [&](const Grant& grant) {
    return allows(grant.role, permission) && holds(grant.scope.environment, scope.environment) &&
           holds(grant.scope.application, scope.application) && holds(grant.scope.department, department);
  });
}

Result<> Caller::require(Permission permission, std::string_view environment, std::string_view application) const {
  if (may(permission, environment, application)) return {};
  const Scope scope{.environment = std::string(environment), .application = std::string(application), .department = {}};
  const std::string place = scope == Scope{} ? "" : " in " + scope.to_string();
  if (kind == Kind::anonymous) {
    return fail(Code::unauthenticated, fmt::format("only who is logged in may {}; log in, or send an access key as "
                                                   "\"Authorization: Bearer ck_…\"",
                                                   phrase(permission)));
  }
  if (kind == Kind::access_key) {
    return fail(Code::permission_denied,
                fmt::format("the access key {} may not {}{}: a key reads and watches the application it was made for; "
                            "for anything else log in as a user",
                            std::string_view(name).substr(name.find(':') + 1), phrase(permission), place));
  }
  return fail(Code::permission_denied,
              fmt::format("{} may not {}{}; an administrator can grant the role {}{}", name, phrase(permission), place,
                          to_string(least_role(permission)), place.empty() ? "" : " there"));
}

Directory::Directory(Content content, std::string jwt_secret, bool anonymous_may_read)
    : content_(std::move(content)), jwt_secret_(std::move(jwt_secret)), anonymous_may_read_(anonymous_may_read) {
  for (std::size_t i = 0; i < content_.users.size(); ++i)
    user_by_name_.emplace(content_.users[i].name, i);
  for (std::size_t i = 0; i < content_.keys.size(); ++i)
    key_by_hash_.emplace(content_.keys[i].secret_hash, i);
  anonymous_ = std::make_shared<const Caller>(
      Caller{.name = "anonymous", .departments = content_.departments, .anonymous_may_read = anonymous_may_read_});
}

Result<CallerPtr> Directory::authenticate(std::string_view authorization, std::string_view address, Wall now) const {
  TRY(const Credential credential, read(authorization, now));
  return find_caller(credential, address, now);
}

Result<Credential> Directory::read(std::string_view authorization, Wall now) const {
  if (authorization.empty()) return Credential{};
  if (authorization.size() > kLongestAuthorization || !is_bearer(authorization)) return not_authenticated();
  std::string_view shown = authorization.substr(authorization.find(' ') + 1);
  while (shown.starts_with(' '))
    shown.remove_prefix(1);
  if (shown.starts_with("ck_")) return Credential{.token = {}, .key_hash = hash_access_key(shown)};
  auto claims = verify_token(shown, jwt_secret_, now);
  if (!claims) return not_authenticated();
  return Credential{.token = *std::move(claims), .key_hash = {}};
}

Result<CallerPtr> Directory::find_caller(const Credential& credential, std::string_view address, Wall now,
                                         const RevokedTokens& revoked_since) const {
  if (!credential.token && credential.key_hash.empty()) return anonymous_;
  CallerPtr caller = credential.token ? caller_of_token(*credential.token, now, revoked_since)
                                      : caller_of_key(credential.key_hash, address, now);
  if (!caller) return not_authenticated();
  return caller;
}

CallerPtr Directory::caller_of_key(const std::string& hash, std::string_view address, Wall now) const {
  const auto at = key_by_hash_.find(hash);
  if (at == key_by_hash_.end()) return nullptr;
  const AccessKey& key = content_.keys[at->second];
  if (key.revoked || (key.expires && *key.expires <= now)) return nullptr;
  if (!key.addresses.empty() &&
      std::ranges::none_of(key.addresses, [&](const std::string& range) { return address_in_range(address, range); })) {
    return nullptr;
  }
  return std::make_shared<const Caller>(
      Caller{.kind = Caller::Kind::access_key,
             .name = "key:" + key.id,
             .grants = {{.role = Role::viewer,
                         .scope = {.environment = key.environment, .application = key.application, .department = {}}}},
             .token_id = {},
             .expires = key.expires.value_or(Wall{}),
             .departments = content_.departments,
             .anonymous_may_read = anonymous_may_read_});
}

CallerPtr Directory::caller_of_token(const Claims& claims, Wall now, const RevokedTokens& revoked_since) const {
  if (claims.expires <= now || content_.revoked_tokens.contains(claims.token_id) ||
      revoked_since.contains(claims.token_id))
    return nullptr;
  const User* user = find_user(claims.user);
  // Clocks are not asked: what was issued while the password was being changed, or on a node whose clock is ahead, is
  // told by its epoch. A user who was deleted and made again has another one, too.
  if (user == nullptr || user->disabled || claims.epoch != user->token_epoch) return nullptr;
  return std::make_shared<const Caller>(Caller{.kind = Caller::Kind::user,
                                               .name = user->name,
                                               .grants = user->grants,
                                               .token_id = claims.token_id,
                                               .expires = claims.expires,
                                               .departments = content_.departments,
                                               .anonymous_may_read = anonymous_may_read_});
}

const User* Directory::find_user(std::string_view name) const {
  const auto at = user_by_name_.find(name);
  return at == user_by_name_.end() ? nullptr : &content_.users[at->second];
}

}  // namespace cc::identity
