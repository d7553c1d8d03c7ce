#include "service/login.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "identity/password.h"
#include "identity/token.h"
#include "proto/command.pb.h"
#include "service/administer.h"
#include "service/audit_trail.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

// Verified in place of the hash of a user who is not there.
const std::string& hash_of_nobody() {
  static const std::string hash = identity::hash_password(random_password(20)).value_or("");
  return hash;
}

void record(Context& context, const Call& call, std::string_view actor, std::string_view action,
            std::string_view target, const Error* refusal) {
  context.audit.record({.time = context.clock.wall(),
                        .actor = std::string(actor),
                        .address = call.address,
                        .request_id = call.request_id,
                        .action = std::string(action),
                        .target = std::string(target),
                        .outcome = std::string(refusal != nullptr ? to_string(refusal->code) : "done"),
                        .message = refusal != nullptr ? refusal->message : ""});
}

// On a worker: whether the password is the one of `hash`, slowed down by the lockout. The lockout is asked here, right
// before the work: of many tries sent at once no more get through than there are workers.
Task<Result<bool>> verify(Context& context, const Call& call, std::string user, std::string hash,
                          std::string password) {
  co_return co_await on_worker(context, call, Work::password, [&](const Deadline&) -> Result<bool> {
    const std::string& dummy = hash_of_nobody();
    TRYV(context.lockout.check(user, call.address));
    const bool right = identity::verify_password(hash.empty() ? dummy : hash, password) && !hash.empty();
    if (right) {
      context.lockout.succeeded(user, call.address);
    } else {
      context.lockout.failed(user, call.address);
    }
    return right;
  });
}

// "" for who cannot log in.
std::string hash_of(const Context& context, std::string_view user) {
  const User* found = context.directory->find_user(user);
  return found == nullptr || found->disabled ? std::string() : found->password_hash;
}

}  // namespace

Task<Result<Login>> log_in(Context& context, const Call& call, std::string user, std::string password) {
  const std::string target = context.directory->find_user(user) != nullptr ? user : "(no such user)";
  const std::string hash = hash_of(context, user);
  // Two names that begin alike and are too long for a user share what they fail.
  auto right = co_await verify(context, call, user.substr(0, context.limits.name + 1), hash, std::move(password));
  if (right && *right && hash_of(context, user) != hash) right = false;  // changed while it was looked at
  if (right && !*right) right = fail(Code::unauthenticated, "the user name or the password is wrong");
  if (!right) {
    record(context, call, "anonymous", "login", target, &right.error());
    co_return fail(std::move(right).error());
  }
  // A clock that is behind the one that stamped the user's last change must not issue a token that is refused.
  const User* found = context.directory->find_user(user);
  const Wall issued = std::max({context.clock.wall(), found->created, found->tokens_valid_from});
  const identity::Claims claims{
      .user = user, .token_id = random_id(), .issued = issued, .expires = issued + context.jwt_expiration};
  record(context, call, user, "login", user, nullptr);
  co_return Login{.token = identity::issue_token(claims, context.jwt_secret), .expires = claims.expires, .user = user};
}

Result<> require_login(Context& context, const Call& call, std::string_view action) {
  if (call.caller->kind != identity::Caller::Kind::anonymous) return {};
  Error error{.code = Code::unauthenticated,
              .message =
                  "nobody is logged in: send a token as \"Authorization: Bearer …\"; POST /v1/login, or "
                  "config-center login, makes one"};
  record(context, call, "anonymous", action, "", &error);
  return fail(std::move(error));
}

Task<Result<Done>> log_out(Context& context, const Call& call) {
  CO_TRYV(require_login(context, call, "logout"));
  if (call.caller->token_id.empty()) {
    co_return fail(Code::invalid_argument,
                   "an access key does not log out; revoke it: DELETE /v1/keys/{id}, or config-center key revoke");
  }
  log::Command command;
  auto& what = *command.mutable_revoke_token();
  what.set_token_id(call.caller->token_id);
  what.set_expires_ms(call.caller->expires.time_since_epoch().count());
  what.set_user(call.caller->name);
  co_return co_await propose_done(context, call, std::move(command));
}

Task<Result<Done>> set_password(Context& context, const Call& call, std::string user, std::string password,
                                std::optional<std::string> current) {
  const bool oneself = call.caller->kind == identity::Caller::Kind::user && call.caller->name == user;
  if (!oneself || !current) {
    if (oneself && !call.caller->may(Permission::manage_users))
      co_return fail(Code::invalid_argument, "to change your password give the current one too, as current_password");
    CO_TRYV(authorise(context, call, Permission::manage_users, "user.password", user));
  }
  const std::string hash = hash_of(context, user);
  if (context.directory->find_user(user) == nullptr)
    co_return fail(Code::not_found, fmt::format("there is no user {}", user));
  CO_TRYV(identity::check_password(password));
  if (oneself && current) {
    auto right = co_await verify(context, call, user, hash, *std::move(current));
    if (right && !*right) right = fail(Code::permission_denied, "the current password is wrong");
    if (!right) {
      record(context, call, user, "user.password", user, &right.error());
      co_return fail(std::move(right).error());
    }
  }
  CO_TRY(std::string made, co_await on_worker(context, call, Work::password,
                                              [&](const Deadline&) { return identity::hash_password(password); }));
  log::Command command;
  command.mutable_set_password()->set_name(user);
  command.mutable_set_password()->set_password_hash(std::move(made));
  co_return co_await propose_done(context, call, std::move(command));
}

}  // namespace cc::service
