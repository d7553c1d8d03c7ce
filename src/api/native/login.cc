#include "service/login.h"

#include <functional>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/identity_json.h"
#include "api/native/members.h"
#include "api/native/routes.h"
#include "base/text.h"

namespace cc::api::native {
namespace {

Task<Result<http::Response>> log_in(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"username", "password"}));
  CO_TRY(std::string user, required_string(body, "username"));
  CO_TRY(std::string password, required_string(body, "password"));
  CO_TRY(const service::Login login, co_await service::log_in(context, call, std::move(user), std::move(password)));
  http::Response response = json_response(
      200, json::object{{"token", login.token}, {"expires_at", format_time(login.expires)}, {"user", login.user}});
  response.header("Cache-Control", "no-store");
  co_return response;
}

Task<Result<http::Response>> log_out(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRYV(co_await service::log_out(context, call));
  co_return http::Response(204);
}

std::string_view to_string(identity::Caller::Kind kind) {
  switch (kind) {
    case identity::Caller::Kind::user:
      return "user";
    case identity::Caller::Kind::access_key:
      return "access_key";
    default:
      return "system";
  }
}

Task<Result<http::Response>> who_am_i(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {}));
  CO_TRYV(service::require_login(context, call, "whoami"));
  const identity::Caller& caller = *call.caller;
  json::object body{{"name", caller.name}, {"kind", to_string(caller.kind)}};
  if (caller.expires != Wall{}) body["expires_at"] = format_time(caller.expires);
  body["grants"] = grants_json(caller.grants);
  co_return json_response(200, body);
}

}  // namespace

void add_login_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  router.add(http::Method::post, "/v1/login", open_to_all(context, std::bind_front(log_in, std::ref(context))));
  router.add(http::Method::post, "/v1/logout", by(log_out));
  router.add(http::Method::get, "/v1/whoami", by(who_am_i));
}

}  // namespace cc::api::native
