#include "service/login.h"

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
    TRYV(context.lockout.check(user, call.address));
    const bool right = identity::verify_password(hash, password);
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
  const Wall now = context.clock.wall();
  const identity::Claims claims{.user = user,
                                .token_id = random_id(),
                                .epoch = context.directory->find_user(user)->token_epoch,
                                .issued = now,
                                .expires = now + context.jwt_expiration};
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
  const User* found = context.directory->find_user(user);
  if (found == nullptr) co_return fail(Code::not_found, fmt::format("there is no user {}", user));
  CO_TRYV(identity::check_password(password));
  log::Command command;
  log::SetPassword& setting = *command.mutable_set_password();
  setting.set_name(user);
  if (oneself && current) {
    setting.set_epoch(found->token_epoch);
    const std::string hash = hash_of(context, user);
    auto right = co_await verify(context, call, user, hash, *std::move(current));
    if (right && !*right) right = fail(Code::permission_denied, "the current password is wrong");
    if (!right) {
      record(context, call, user, "user.password", user, &right.error());
      co_return fail(std::move(right).error());
    }
  }
  CO_TRY(*setting.mutable_password_hash(), co_await on_worker(context, call, Work::password, [&](const Deadline&) {
    return identity::hash_password(password);
  }));
  // Hashing takes a while, in which the caller's token may have ended.
  if (call.session) CO_TRYV(call.session->caller(context.directory, context.clock.wall()));
  co_return co_await propose_done(context, call, std::move(command));
}

}  // namespace cc::service
