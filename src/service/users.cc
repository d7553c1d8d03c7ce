#include "service/users.h"

#include <fmt/format.h>

#include "identity/password.h"
#include "model/quote.h"
#include "proto/command.pb.h"
#include "service/administer.h"
#include "service/content.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

// Names by which records know who is no user.
Result<> check_user_name(const std::string& name, const Limits& limits) {
  TRYV(check_name(name, "user name", limits.name));
  if (name != "anonymous" && name != "system" && !name.starts_with("key:")) return {};
  return fail(Code::invalid_argument,
              fmt::format("a user cannot be named {}: in records that is something else", cc::quoted(name)));
}

Result<> authorise_seeing(Context& context, const Call& call, std::string_view action, std::string_view target) {
  if (call.caller->may_somewhere(Permission::manage_users)) return {};
  return authorise(context, call, Permission::manage_users, action, target);
}

}  // namespace

Result<state::Page<User>> list_users(Context& context, const Call& call, const state::PageRequest& page) {
  TRYV(authorise_seeing(context, call, "user.list", ""));
  return page_by_name(
      context.directory->users(), page, [](const User& user) -> const std::string& { return user.name; },
      [](const User&) { return true; });
}

Result<User> read_user(Context& context, const Call& call, const std::string& name) {
  const bool oneself = call.caller->kind == identity::Caller::Kind::user && call.caller->name == name;
  if (!oneself) TRYV(authorise_seeing(context, call, "user.read", name));
  if (const User* user = context.directory->find_user(name)) return *user;
  return fail(Code::not_found, fmt::format("there is no user {}", cc::quoted(name)));
}

Task<Result<Done>> put_user(Context& context, const Call& call, UserChange change) {
  const User* there = context.directory->find_user(change.name);
  const std::string_view action = there != nullptr ? "user.update" : "user.create";
  CO_TRYV(authorise(context, call, Permission::manage_users, action, change.name));
  CO_TRYV(check_user_name(change.name, context.limits));
  if (change.display_name) CO_TRYV(check_text(context.limits, *change.display_name, "display name"));
  if (change.display_name) CO_TRYV(check_label(*change.display_name, "display name"));
  if (change.password) CO_TRYV(identity::check_password(*change.password));
  if (there == nullptr && !change.password) {
    co_return fail(Code::invalid_argument,
                   fmt::format("there is no user {} yet; to make one, give a password", cc::quoted(change.name)));
  }
  log::Command command;
  auto& what = *command.mutable_put_user();
  what.set_name(change.name);
  if (change.display_name) what.set_display_name(*change.display_name);
  if (change.disabled) what.set_disabled(*change.disabled);
  if (change.password) {
    CO_TRY(*what.mutable_password_hash(), co_await on_worker(context, call, Work::password, [&](const Deadline&) {
      return identity::hash_password(*change.password);
    }));
  }
  co_return co_await propose_done(context, call, std::move(command));
}

Task<Result<Done>> delete_user(Context& context, const Call& call, std::string name) {
  CO_TRYV(authorise(context, call, Permission::manage_users, "user.delete", name));
  CO_TRYV(check_user_name(name, context.limits));
  log::Command command;
  command.mutable_delete_user()->set_name(name);
  co_return co_await propose_done(context, call, std::move(command));
}

Task<Result<Done>> change_grant(Context& context, const Call& call, std::string user, Grant grant, bool revoke) {
  const Scope& scope = grant.scope;
  if (!call.caller->may_throughout(Permission::manage_users, scope)) {
    CO_TRYV(authorise(context, call, Permission::manage_users, revoke ? "grant.revoke" : "grant.add", user,
                      scope.environment, scope.application));
  }
  CO_TRYV(check_user_name(user, context.limits));
  for (const auto& [name, what] :
       {std::pair(&scope.environment, "environment"), std::pair(&scope.application, "application"),
        std::pair(&scope.department, "department")}) {
    if (!name->empty()) CO_TRYV(check_name(*name, what, context.limits.name));
  }
  if (!scope.department.empty() && !scope.application.empty()) {
    co_return fail(Code::invalid_argument, "a grant holds for an application or for a department; give one of the two");
  }
  log::Command command;
  auto& what = *command.mutable_change_grant();
  what.set_user(user);
  what.set_role(std::string(to_string(grant.role)));
  what.mutable_scope()->set_environment(scope.environment);
  what.mutable_scope()->set_application(scope.application);
  what.mutable_scope()->set_department(scope.department);
  what.set_revoke(revoke);
  co_return co_await propose_done(context, call, std::move(command));
}

}  // namespace cc::service
