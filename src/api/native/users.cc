#include "service/users.h"

#include <array>
#include <functional>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/identity_json.h"
#include "api/native/members.h"
#include "api/native/routes.h"
#include "service/login.h"

namespace cc::api::native {
namespace {

// The user as this thread knows it after a change.
Result<http::Response> user_answer(service::Context& context, unsigned status, const std::string& name,
                                   const service::Done& done) {
  const User* user = context.directory->find_user(name);
  if (user == nullptr) return fail(Code::not_found, "the user was changed, and deleted since by somebody else");
  http::Response response = json_response(status, user_json(*user));
  mark_repeated(response, done.repeated);
  return response;
}

Task<Result<http::Response>> list(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {"limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  CO_TRY(const auto users, service::list_users(context, call, page));
  co_return json_response(200, page_json(users, user_json));
}

Task<Result<http::Response>> get(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {}));
  CO_TRY(const User user, service::read_user(context, call, request.captures[0]));
  co_return json_response(200, user_json(user));
}

Task<Result<http::Response>> put(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"display_name", "password", "disabled"}));
  service::UserChange change{.name = request.captures[0], .display_name = {}, .password = {}, .disabled = {}};
  CO_TRY(change.display_name, optional_string(body, "display_name"));
  CO_TRY(change.password, optional_string(body, "password"));
  CO_TRY(change.disabled, optional_bool(body, "disabled"));
  CO_TRY(const service::Done done, co_await service::put_user(context, call, std::move(change)));
  co_return user_answer(context, done.created ? 201 : 200, request.captures[0], done);
}

Task<Result<http::Response>> remove(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const service::Done done, co_await service::delete_user(context, call, request.captures[0]));
  http::Response response =
      json_response(200, json::object{{"name", request.captures[0]}, {"revision", done.revision}});
  mark_repeated(response, done.repeated);
  co_return response;
}

Task<Result<http::Response>> set_password(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"password", "current_password"}));
  CO_TRY(std::string password, required_string(body, "password"));
  CO_TRY(auto current, optional_string(body, "current_password"));
  CO_TRY(const service::Done done,
         co_await service::set_password(context, call, request.captures[0], std::move(password), std::move(current)));
  http::Response response(204);
  mark_repeated(response, done.repeated);
  co_return response;
}

Task<Result<http::Response>> change_grant(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"role", "environment", "application", "department"}));
  Grant grant;
  CO_TRY(const std::string role, required_string(body, "role"));
  CO_TRY(grant.role, parse_role(role));
  CO_TRY(grant.scope.environment, string_in(body, "environment"));
  CO_TRY(grant.scope.application, string_in(body, "application"));
  CO_TRY(grant.scope.department, string_in(body, "department"));
  const bool revoke = request.method == http::Method::delete_;
  CO_TRY(const service::Done done,
         co_await service::change_grant(context, call, request.captures[0], std::move(grant), revoke));
  co_return user_answer(context, 200, request.captures[0], done);
}

struct RoleText {
  Role role;
  std::string_view description;
};
constexpr std::array<RoleText, 5> kRoles{
    {{Role::admin, "May do everything where it is granted"},
     {Role::publisher, "Reads, edits drafts, publishes, rolls back, imports and deletes configs"},
     {Role::developer, "Reads and edits drafts; what it edited is published by a publisher"},
     {Role::operator_, "Operates the cluster and its backups and reads the audit records; reads no configs"},
     {Role::viewer, "Reads published configs and their history"}}};
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

Task<Result<http::Response>> list_roles(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {}));
  CO_TRYV(service::require_login(context, call, "role.list"));
  json::array items;
  for (const auto& [role, description] : kRoles) {
    json::array permissions;
    for (const Permission permission : kPermissions) {
      if (allows(role, permission)) permissions.push_back(json::string(to_string(permission)));
    }
    items.push_back(
        json::object{{"name", to_string(role)}, {"permissions", std::move(permissions)}, {"description", description}});
  }
  co_return json_response(200, json::object{{"items", std::move(items)}});
}

}  // namespace

void add_user_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  router.add(http::Method::get, "/v1/users", by(list));
  router.add(http::Method::get, "/v1/users/{name}", by(get));
  router.add(http::Method::put, "/v1/users/{name}", by(put));
  router.add(http::Method::delete_, "/v1/users/{name}", by(remove));
  router.add(http::Method::put, "/v1/users/{name}/password", by(set_password));
  router.add(http::Method::post, "/v1/users/{name}/grants", by(change_grant));
  router.add(http::Method::delete_, "/v1/users/{name}/grants", by(change_grant));
  router.add(http::Method::get, "/v1/roles", by(list_roles));
}

}  // namespace cc::api::native
