// Roles, what they may do, and where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/words.h"

namespace cc {

enum class Role { admin, developer, publisher, operator_, viewer };
std::string_view to_string(Role role) noexcept;  // "operator" for operator_
Result<Role> parse_role(std::string_view text);

enum class Permission {
  read,  // published content, history, lists
  read_draft,
  edit_draft,
  publish,              // publish, roll back, import
  remove,               // delete a config
  manage_applications,  // applications, clusters
  manage_environments,
  manage_users,  // users and grants
  manage_keys,   // access keys
  read_audit,
  operate,  // cluster, backups, maintenance
};
std::string_view to_string(Permission permission) noexcept;

// admin: all. publisher: read, drafts, publish, remove. developer: read, drafts. viewer: read.
// operator: read of nothing but status: operate, read_audit.
bool allows(Role role, Permission permission) noexcept;

// Where a grant holds. All empty: everywhere. Environment and application may be given together.
struct Scope {
  std::string environment, application, department;
  auto operator<=>(const Scope&) const = default;
  std::string to_string() const;  // "everywhere", "environment prod", "environment prod, application shop"
};

struct Grant {
  Role role = Role::viewer;
  Scope scope;
  auto operator<=>(const Grant&) const = default;
};

struct User {
  std::string name;
  std::string display_name;
  std::string password_hash;  // Argon2id, PHC string; never leaves the node
  bool disabled = false;
  std::vector<Grant> grants;
  Wall created{};
  Revision token_epoch = 0;  // tokens issued under another one are refused: a new password ends all, for instance
  Revision revision = 0;
};

// For programs: read and watch one application (all environments, or one).
struct AccessKey {
  std::string id;           // public part, "ck_…"
  std::string secret_hash;  // SHA-256 hex of the whole key text; the text itself is shown once and not stored
  std::string description;
  std::string application;             // required
  std::string environment;             // empty: all
  std::vector<std::string> addresses;  // CIDR or single; empty: any
  std::optional<Wall> expires;
  bool revoked = false;
  std::string created_by;
  Wall created{};
  Revision revision = 0;
};

}  // namespace cc
