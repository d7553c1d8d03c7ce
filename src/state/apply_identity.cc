// Users, grants, access keys, revoked tokens, and the first command of all.
#include <algorithm>

#include <fmt/format.h>

#include "model/grants.h"
#include "state/applying.h"
#include "state/describe.h"

namespace cc::state {
namespace {

struct StoredUser {
  std::string display_name, password_hash;
  bool disabled = false;
  Revision token_epoch = 0;
};

std::optional<StoredUser> find_user(Database& db, const std::string& name) {
  Rows rows = db.ask("SELECT display_name, password_hash, disabled, token_epoch FROM user WHERE name = ?", name);
  if (!rows.next()) return std::nullopt;
  return StoredUser{.display_name = rows.text(0),
                    .password_hash = rows.text(1),
                    .disabled = rows.flag(2),
                    .token_epoch = rows.number(3)};
}

Result<StoredUser> require_user(Applying& at, const std::string& name) {
  auto user = find_user(at.db, name);
  if (!user) return fail(Code::not_found, fmt::format("there is no user {}", name));
  return *std::move(user);
}

// Someone else must be left who may do everything.
Result<> require_other_administrator(Applying& at, const std::string& user) {
  bool is_one = false, is_another = false;
  Rows rows = at.db.ask(
      "SELECT g.user FROM role_grant g JOIN user u ON u.name = g.user WHERE g.role = 'admin' AND g.environment = '' "
      "AND g.application = '' AND g.department = '' AND u.disabled = 0");
  while (rows.next())
    (rows.view(0) == user ? is_one : is_another) = true;
  if (!is_one || is_another) return {};
  return fail(Code::conflict, fmt::format("{} is the last enabled administrator: make another one first", user));
}

void add_user(Applying& at, const std::string& name, const std::string& display_name, const std::string& password_hash,
              bool disabled) {
  // No revision comes twice: tokens of an earlier user of the same name do not come alive.
  const Revision token_epoch = at.revision();
  at.db.run("INSERT INTO user VALUES (?, ?, ?, ?, ?, ?, ?)", name, display_name, password_hash, disabled,
            at.command.time_ms(), token_epoch, at.revision());
  at.tip.changes.identity = true;
}

void end_tokens(Applying& at, const std::string& user) {
  at.db.run("UPDATE user SET token_epoch = ? WHERE name = ?", at.revision(), user);
  at.db.run("DELETE FROM revoked_token WHERE user = ?", user);  // refused without being remembered
  at.tip.changes.identity = true;
}

std::uint64_t count_revoked(Database& db, const std::string& user) {
  Rows rows = db.ask("SELECT count(*) FROM revoked_token WHERE user = ?", user);
  return rows.next() ? rows.number(0) : 0;
}

std::string describe(const std::string& display_name, bool disabled, bool password_changed) {
  boost::json::object object{{"display_name", display_name}, {"disabled", disabled}};
  if (password_changed) object["password"] = "changed";
  return json_text(object);
}

std::string describe(const Grant& grant) {
  return json_text({{"role", to_string(grant.role)},
                    {"environment", grant.scope.environment},
                    {"application", grant.scope.application},
                    {"department", grant.scope.department}});
}

std::string lines(const google::protobuf::RepeatedPtrField<std::string>& addresses) {
  std::string text;
  for (const std::string& address : addresses) {
    if (!text.empty()) text += '\n';
    text += address;
  }
  return text;
}

}  // namespace

Result<> apply(Applying& at, const log::InitializeCluster& what) {
  at.about("initialize", what.cluster_id());
  if (!at.tip.position.cluster_id.empty())
    return fail(Code::already_exists, "this log belongs to an installation already");
  at.tip.position.cluster_id = what.cluster_id();
  for (const std::string& name : what.environments()) {
    at.db.run("INSERT OR IGNORE INTO environment VALUES (?, '', ?, ?)", name, at.revision(), at.command.time_ms());
  }
  add_user(at, what.admin_name(), "Administrator", what.admin_password_hash(), false);
  at.db.run("INSERT INTO role_grant VALUES (?, 'admin', '', '', '')", what.admin_name());
  at.outcome.set_created(true);
  at.audit_change(
      "", json_text({{"administrator", what.admin_name()},
                     {"environments", boost::json::array(what.environments().begin(), what.environments().end())}}));
  return {};
}

Result<> apply(Applying& at, const log::PutUser& what) {
  const auto before = find_user(at.db, what.name());
  at.about(before && !what.create_only() ? "user.update" : "user.create", what.name());
  if (!before) {
    if (what.password_hash().empty())
      return fail(Code::invalid_argument, fmt::format("the new user {} needs a password", what.name()));
    add_user(at, what.name(), what.display_name(), what.password_hash(), what.disabled());
    at.outcome.set_created(true);
    at.audit_change("", describe(what.display_name(), what.disabled(), false));
    return {};
  }
  if (what.create_only()) return fail(Code::already_exists, fmt::format("there is a user {} already", what.name()));
  const bool new_password = !what.password_hash().empty() && what.password_hash() != before->password_hash;
  const std::string display_name = what.has_display_name() ? what.display_name() : before->display_name;
  const bool disabled = what.has_disabled() ? what.disabled() : before->disabled;
  if (!new_password && display_name == before->display_name && disabled == before->disabled) {
    at.audit_unchanged();
    return {};
  }
  if (disabled && !before->disabled) TRYV(require_other_administrator(at, what.name()));
  at.db.run("UPDATE user SET display_name = ?, disabled = ?, revision = ? WHERE name = ?", display_name, disabled,
            at.revision(), what.name());
  if (new_password) at.db.run("UPDATE user SET password_hash = ? WHERE name = ?", what.password_hash(), what.name());
  // Who is enabled again has no tokens left from before.
  if (new_password || (disabled && !before->disabled)) end_tokens(at, what.name());
  at.tip.changes.identity = true;
  at.audit_change(describe(before->display_name, before->disabled, false),
                  describe(display_name, disabled, new_password));
  return {};
}

Result<> apply(Applying& at, const log::DeleteUser& what) {
  at.about("user.delete", what.name());
  TRY(const StoredUser before, require_user(at, what.name()));
  TRYV(require_other_administrator(at, what.name()));
  at.db.run("DELETE FROM user WHERE name = ?", what.name());
  at.db.run("DELETE FROM role_grant WHERE user = ?", what.name());
  at.db.run("DELETE FROM revoked_token WHERE user = ?", what.name());
  at.tip.changes.identity = true;
  at.audit_change(describe(before.display_name, before.disabled, false), "");
  return {};
}

Result<> apply(Applying& at, const log::SetPassword& what) {
  at.about("user.password", what.name());
  TRY(const StoredUser before, require_user(at, what.name()));
  if (what.epoch() != 0 && what.epoch() != before.token_epoch) {
    return fail(Code::conflict,
                fmt::format("the password of {} was changed meanwhile: log in and change it again", what.name()));
  }
  at.db.run("UPDATE user SET password_hash = ?, revision = ? WHERE name = ?", what.password_hash(), at.revision(),
            what.name());
  end_tokens(at, what.name());
  at.audit_change("", json_text({{"password", "changed"}}));
  return {};
}

Result<> apply(Applying& at, const log::ChangeGrant& what) {
  at.about(what.revoke() ? "grant.revoke" : "grant.add", what.user());
  TRYV(require_user(at, what.user()));
  TRY(const Role role, parse_role(what.role()));
  const Grant grant{role, {what.scope().environment(), what.scope().application(), what.scope().department()}};
  const bool there =
      at.db
          .ask(
              "SELECT 1 FROM role_grant WHERE user = ? AND role = ? AND environment = ? AND "
              "application = ? AND department = ?",
              what.user(), what.role(), grant.scope.environment, grant.scope.application, grant.scope.department)
          .next();
  if (what.revoke()) {
    if (!there) {
      return fail(Code::not_found,
                  fmt::format("user {} is not {} {}", what.user(), what.role(), grant.scope.to_string()));
    }
    if (role == Role::admin && grant.scope == Scope{}) TRYV(require_other_administrator(at, what.user()));
    at.db.run(
        "DELETE FROM role_grant WHERE user = ? AND role = ? AND environment = ? AND application = ? AND department = ?",
        what.user(), what.role(), grant.scope.environment, grant.scope.application, grant.scope.department);
  } else {
    if (!grant.scope.environment.empty()) TRYV(require_environment(at, grant.scope.environment));
    if (there) {
      at.audit_unchanged();
      return {};
    }
    at.db.run("INSERT INTO role_grant VALUES (?, ?, ?, ?, ?)", what.user(), what.role(), grant.scope.environment,
              grant.scope.application, grant.scope.department);
    at.outcome.set_created(true);
  }
  at.db.run("UPDATE user SET revision = ? WHERE name = ?", at.revision(), what.user());
  at.tip.changes.identity = true;
  at.audit_change(what.revoke() ? describe(grant) : "", what.revoke() ? "" : describe(grant));
  return {};
}

Result<> apply(Applying& at, const log::CreateAccessKey& what) {
  at.about("key.create", what.id());
  if (at.db.ask("SELECT 1 FROM access_key WHERE id = ?", what.id()).next())
    return fail(Code::already_exists, fmt::format("there is an access key {} already", what.id()));
  if (!what.environment().empty()) TRYV(require_environment(at, what.environment()));
  std::optional<std::int64_t> expires;
  if (what.expires_ms() != 0) expires = what.expires_ms();
  at.db.run("INSERT INTO access_key VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)", what.id(), what.secret_hash(),
            what.description(), what.application(), what.environment(), lines(what.addresses()), expires,
            at.command.actor(), at.command.time_ms(), at.revision());
  at.db.run(
      "DELETE FROM access_key WHERE id IN (SELECT id FROM access_key WHERE revoked = 1 OR expires <= ? "
      "ORDER BY revision DESC, id LIMIT -1 OFFSET ?)",
      at.command.time_ms(), at.options.keep_ended_keys);
  at.tip.changes.identity = true;
  at.outcome.set_created(true);
  at.audit_change("", json_text({{"application", what.application()},
                                 {"environment", what.environment()},
                                 {"description", what.description()},
                                 {"addresses", boost::json::array(what.addresses().begin(), what.addresses().end())},
                                 {"expires_ms", what.expires_ms()}}));
  return {};
}

Result<> apply(Applying& at, const log::RevokeAccessKey& what) {
  at.about("key.revoke", what.id());
  {
    Rows rows = at.db.ask("SELECT revoked FROM access_key WHERE id = ?", what.id());
    if (!rows.next()) return fail(Code::not_found, fmt::format("there is no access key {}", what.id()));
    if (rows.flag(0)) {
      at.audit_unchanged();
      return {};
    }
  }
  at.db.run("UPDATE access_key SET revoked = 1, revision = ? WHERE id = ?", at.revision(), what.id());
  at.tip.changes.identity = true;
  at.audit_change(R"({"revoked":false})", R"({"revoked":true})");
  return {};
}

Result<> apply(Applying& at, const log::RevokeToken& what) {
  at.about("token.revoke", what.user());
  // What has expired is refused without being remembered.
  at.db.run("DELETE FROM revoked_token WHERE expires < ?", at.command.time_ms());
  at.db.run("INSERT OR REPLACE INTO revoked_token VALUES (?, ?, ?)", what.token_id(), what.user(), what.expires_ms());
  boost::json::object after{{"token_id", what.token_id()}};
  if (count_revoked(at.db, what.user()) > at.options.revoked_tokens_per_user) {
    end_tokens(at, what.user());
    after["all_tokens"] = "ended";
  } else {
    at.tip.changes.revoked_tokens.push_back({.id = what.token_id(), .expires = wall(what.expires_ms())});
  }
  at.audit_change("", json_text(after));
  return {};
}

Result<> apply(Applying& at, const log::RecordAudit& what) {
  at.about("audit.record", "");
  for (const auto& one : what.records()) {
    at.write_audit({.time = wall(one.time_ms()),
                    .actor = one.actor(),
                    .address = one.address(),
                    .request_id = one.request_id(),
                    .action = one.action(),
                    .target = one.target(),
                    .outcome = one.outcome(),
                    .message = one.message(),
                    .count = std::max<std::uint64_t>(one.count(), 1)});
  }
  return {};
}

}  // namespace cc::state
