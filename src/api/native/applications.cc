// Environments, applications and clusters.
#include <functional>

#include "api/native/answers.h"
#include "api/native/call.h"
#include "api/native/members.h"
#include "api/native/routes.h"
#include "base/text.h"
#include "service/places.h"

namespace cc::api::native {
namespace {

json::object environment_json(const Environment& environment) {
  return {{"name", environment.name},
          {"description", environment.description},
          {"created", format_time(environment.created)}};
}

json::object application_json(const Application& application) {
  return {{"name", application.name},
          {"department", application.department},
          {"owner", application.owner},
          {"description", application.description},
          {"created", format_time(application.created)}};
}

json::object cluster_json(const Cluster& cluster) {
  return {{"environment", cluster.environment},
          {"application", cluster.application},
          {"cluster", cluster.name},
          {"description", cluster.description},
          {"created", format_time(cluster.created)}};
}

template <class T, class ToJson>
http::Response put_answer(const service::Put<T>& put, const ToJson& to_json) {
  http::Response response = json_response(put.created ? 201 : 200, to_json(put.item));
  mark_repeated(response, put.repeated);
  return response;
}

http::Response deleted_answer(json::object what, const service::Done& done) {
  what["revision"] = done.revision;
  http::Response response = json_response(200, what);
  mark_repeated(response, done.repeated);
  return response;
}

// --- environments ---

Task<Result<http::Response>> list_environments(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {"limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  CO_TRY(const auto found, co_await service::list_environments(context, call, page));
  co_return json_response(200, page_json(found, environment_json));
}

Task<Result<http::Response>> get_environment(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {}));
  CO_TRY(const Environment found, co_await service::read_environment(context, call, request.captures[0]));
  co_return json_response(200, environment_json(found));
}

Task<Result<http::Response>> put_environment(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"description"}));
  service::EnvironmentChange change{.name = request.captures[0], .description = {}};
  CO_TRY(change.description, optional_string(body, "description"));
  CO_TRY(const auto put, co_await service::put_environment(context, call, std::move(change)));
  co_return put_answer(put, environment_json);
}

Task<Result<http::Response>> delete_environment(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const service::Done done, co_await service::delete_environment(context, call, request.captures[0]));
  co_return deleted_answer({{"name", request.captures[0]}}, done);
}

// --- applications ---

Task<Result<http::Response>> list_applications(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {"limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  CO_TRY(const auto found, co_await service::list_applications(context, call, page));
  co_return json_response(200, page_json(found, application_json));
}

Task<Result<http::Response>> get_application(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {}));
  CO_TRY(const Application found, co_await service::read_application(context, call, request.captures[0]));
  co_return json_response(200, application_json(found));
}

Task<Result<http::Response>> put_application(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"department", "owner", "description"}));
  service::ApplicationChange change{.name = request.captures[0], .department = {}, .owner = {}, .description = {}};
  CO_TRY(change.department, optional_string(body, "department"));
  CO_TRY(change.owner, optional_string(body, "owner"));
  CO_TRY(change.description, optional_string(body, "description"));
  CO_TRY(const auto put, co_await service::put_application(context, call, std::move(change)));
  co_return put_answer(put, application_json);
}

Task<Result<http::Response>> delete_application(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const service::Done done, co_await service::delete_application(context, call, request.captures[0]));
  co_return deleted_answer({{"name", request.captures[0]}}, done);
}

// --- clusters ---

service::ClusterName cluster_of(const http::Request& request) {
  return {.environment = request.captures[0], .application = request.captures[1], .name = request.captures[2]};
}

Task<Result<http::Response>> list_clusters(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {"environment", "application", "limit", "cursor"}));
  CO_TRY(const state::PageRequest page, page_of(request));
  CO_TRY(const auto found, co_await service::list_clusters(context, call, request.query("environment").value_or(""),
                                                           request.query("application").value_or(""), page));
  co_return json_response(200, page_json(found, cluster_json));
}

Task<Result<http::Response>> put_cluster(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"description"}));
  CO_TRY(auto description, optional_string(body, "description"));
  CO_TRY(const auto put, co_await service::put_cluster(context, call, cluster_of(request), std::move(description)));
  co_return put_answer(put, cluster_json);
}

Task<Result<http::Response>> delete_cluster(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  const service::ClusterName cluster = cluster_of(request);
  CO_TRY(const service::Done done, co_await service::delete_cluster(context, call, cluster));
  co_return deleted_answer(
      {{"environment", cluster.environment}, {"application", cluster.application}, {"cluster", cluster.name}}, done);
}

}  // namespace

void add_application_routes(http::Router& router, service::Context& context) {
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  router.add(http::Method::get, "/v1/environments", by(list_environments));
  router.add(http::Method::get, "/v1/environments/{env}", by(get_environment));
  router.add(http::Method::put, "/v1/environments/{env}", by(put_environment));
  router.add(http::Method::delete_, "/v1/environments/{env}", by(delete_environment));
  router.add(http::Method::get, "/v1/applications", by(list_applications));
  router.add(http::Method::get, "/v1/applications/{app}", by(get_application));
  router.add(http::Method::put, "/v1/applications/{app}", by(put_application));
  router.add(http::Method::delete_, "/v1/applications/{app}", by(delete_application));
  router.add(http::Method::get, "/v1/clusters", by(list_clusters));
  router.add(http::Method::put, "/v1/clusters/{env}/{app}/{cluster}", by(put_cluster));
  router.add(http::Method::delete_, "/v1/clusters/{env}/{app}/{cluster}", by(delete_cluster));
}

}  // namespace cc::api::native
