#include "service/keys.h"

#include <functional>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/identity_json.h"
#include "api/native/members.h"
#include "api/native/routes.h"
#include "base/text.h"

namespace cc::api::native {
namespace {

Task<Result<http::Response>> list(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {"limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  CO_TRY(const auto keys, service::list_keys(context, call, page));
  co_return json_response(200, page_json(keys, key_json));
}

Task<Result<http::Response>> create(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body,
         object_of(request, {"application", "environment", "description", "addresses", "expires_at"}));
  service::KeyRequest wanted;
  CO_TRY(wanted.application, required_string(body, "application"));
  CO_TRY(wanted.environment, string_in(body, "environment"));
  CO_TRY(wanted.description, string_in(body, "description"));
  CO_TRY(wanted.addresses, optional_strings(body, "addresses"));
  CO_TRY(const auto expires, optional_string(body, "expires_at"));
  if (expires) {
    CO_TRY(wanted.expires, parse_time(*expires));
  }
  CO_TRY(const service::CreatedKey created, co_await service::create_key(context, call, std::move(wanted)));
  json::object answer = key_json(created.key);
  answer["key"] = created.text;
  http::Response response = json_response(201, answer);
  response.header("Cache-Control", "no-store");
  mark_repeated(response, created.repeated);
  co_return response;
}

Task<Result<http::Response>> revoke(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const service::RevokedKey revoked, co_await service::revoke_key(context, call, request.captures[0]));
  http::Response response = json_response(200, key_json(revoked.key));
  mark_repeated(response, revoked.repeated);
  co_return response;
}

}  // namespace

void add_key_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  router.add(http::Method::get, "/v1/keys", by(list));
  router.add(http::Method::post, "/v1/keys", by(create));
  router.add(http::Method::delete_, "/v1/keys/{id}", by(revoke));
}

}  // namespace cc::api::native
