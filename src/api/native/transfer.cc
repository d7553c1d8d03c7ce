#include "service/transfer.h"

#include <functional>
#include <utility>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/routes.h"

namespace cc::api::native {
namespace {

const std::string& environment_of(const http::Request& request) {
  return request.captures.front();
}

std::string application_of(const http::Request& request) {
  return request.captures.size() > 1 ? request.captures[1] : std::string();
}

Task<Result<http::Response>> send(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {}));
  const std::string environment = environment_of(request), application = application_of(request);
  CO_TRY(std::string zip, co_await service::export_configs(context, call, environment, application));
  http::Response response(200);
  response.header("Content-Type", "application/zip").body(std::move(zip));
  co_return response;
}

json::object imported_json(const service::Published& published) {
  json::object out = published_json(published);
  out["unchanged"] = published.unchanged;
  return out;
}

Task<Result<http::Response>> receive(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {"comment", "dry_run"}));
  CO_TRY(const auto dry_run, flag_of(request, "dry_run"));
  CO_TRY(const service::Change change,
         co_await service::import_configs(context, call,
                                          {.environment = environment_of(request),
                                           .application = application_of(request),
                                           .zip = std::move(request.body),
                                           .comment = request.query("comment").value_or(""),
                                           .dry_run = dry_run.value_or(false)}));
  json::array published;
  for (const service::Published& one : change.published)
    published.push_back(imported_json(one));
  http::Response response = json_response(200, {{"revision", change.revision}, {"published", std::move(published)}});
  mark_repeated(response, change.repeated);
  co_return response;
}

}  // namespace

void add_transfer_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  for (const char* place : {"{env}", "{env}/{app}"}) {
    router.add(http::Method::get, std::string("/v1/export/") + place, by(send));
    router.add(http::Method::post, std::string("/v1/import/") + place, by(receive));
  }
}

}  // namespace cc::api::native
