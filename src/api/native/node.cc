#include <functional>

#include "api/native/call.h"
#include "api/native/routes.h"
#include "embedded/openapi.h"
#include "service/status.h"

namespace cc::api::native {
namespace {

json::object counts_json(const service::NodeStatus& status) {
  const state::Queries::Counts& counts = status.counts;
  return {{"environments", counts.environments},
          {"applications", counts.applications},
          {"configs", status.configs},
          {"releases", counts.releases},
          {"drafts", counts.drafts},
          {"users", counts.users},
          {"keys", counts.keys},
          {"audit_records", counts.audit_records}};
}

json::object status_json(const service::NodeStatus& status) {
  const consensus::Status& log = status.log;
  json::array servers;
  for (const auto& server : log.servers)
    servers.push_back(json::object{
        {"id", server.id}, {"address", server.address}, {"role", consensus::to_string(server.membership)}});
  json::object out{{"cluster_id", status.cluster_id},
                   {"node_id", log.node_id},
                   {"role", to_string(log.role)},
                   {"leader_id", log.leader_id},
                   {"term", log.term},
                   {"first", log.first},
                   {"last", log.last},
                   {"commit", log.commit},
                   {"applied", log.applied},
                   {"revision", status.revision},
                   {"servers", std::move(servers)}};
  if (!log.trouble.empty()) out["trouble"] = log.trouble;
  out["version"] = status.version;
  out["counts"] = counts_json(status);
  return out;
}

Task<Result<http::Response>> cluster(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const service::NodeStatus status, co_await service::node_status(context, call));
  co_return json_response(200, status_json(status));
}

Task<Result<http::Response>> live(service::Context&, service::Call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  co_return http::Response::text(200, "ok\n");
}

Task<Result<http::Response>> ready_to_serve(service::Context& context, service::Call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  if (service::health(context).serves_reads) co_return http::Response::text(200, "ok\n");
  co_return http::Response::text(503, "the node is stopping\n");
}

Task<Result<http::Response>> healthy(service::Context& context, service::Call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  const service::Health health = service::health(context);
  json::array checks;
  for (const service::Check& check : health.checks) {
    json::object one{{"name", check.name}, {"status", check.status}};
    if (!check.message.empty()) one["message"] = check.message;
    checks.push_back(std::move(one));
  }
  const std::string_view status = !health.serves_reads ? "failing" : health.degraded ? "degraded" : "ok";
  co_return json_response(
      health.serves_reads ? 200 : 503,
      json::object{{"status", status}, {"revision", health.revision}, {"checks", std::move(checks)}});
}

Task<Result<http::Response>> openapi(service::Context&, service::Call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  const std::string_view document = embedded::openapi.front().second;
  http::Response response(200);
  response.header("Content-Type", "application/json");
  // Part of the program, and never freed: what keeps it is there for who remembers the body by it.
  static const auto keep = std::make_shared<const char>();
  response.shared_body(keep, document);
  co_return response;
}

}  // namespace

void add_node_routes(http::Router& router, service::Context& context) {
  const auto open = [&context](auto act) { return open_to_all(context, std::bind_front(act, std::ref(context))); };
  router.add(http::Method::get, "/v1/cluster", authenticated(context, std::bind_front(cluster, std::ref(context))));
  router.add(http::Method::get, "/livez", open(live));
  router.add(http::Method::get, "/readyz", open(ready_to_serve));
  router.add(http::Method::get, "/healthz", open(healthy));
  router.add(http::Method::get, "/openapi.json", open(openapi));
}

}  // namespace cc::api::native
