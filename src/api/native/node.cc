#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "api/native/call.h"
#include "api/native/members.h"
#include "api/native/routes.h"
#include "base/text.h"
#include "embedded/openapi.h"
#include "model/quote.h"
#include "service/membership.h"
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

// What only the leader knows of the others is left out by the others.
json::object member_json(const consensus::Status& log, const consensus::Status::Server& member) {
  json::object out{{"node", member.id},
                   {"address", member.address},
                   {"membership", consensus::to_string(member.membership)},
                   {"leads", member.id == log.leader_id}};
  const bool itself = member.id == log.node_id;
  if (itself || log.role == consensus::Role::leader) {
    const consensus::Index match = itself ? log.last : member.match;
    out["reachable"] = itself || member.reachable;
    out["match"] = match;
    out["behind"] = log.last - std::min(log.last, match);
  }
  return out;
}

json::object group_json(const consensus::Status& log) {
  json::array members;
  for (const auto& member : log.servers)
    members.push_back(member_json(log, member));
  json::object out{{"node_id", log.node_id}, {"role", to_string(log.role)}, {"leader_id", log.leader_id},
                   {"term", log.term},       {"stale", log.stale},          {"members", std::move(members)}};
  if (!log.trouble.empty()) out["trouble"] = log.trouble;
  return out;
}

json::object status_json(const service::NodeStatus& status) {
  const consensus::Status& log = status.log;
  json::object out = group_json(log);
  out["cluster_id"] = status.cluster_id;
  out["first"] = log.first;
  out["last"] = log.last;
  out["last_term"] = log.last_term;
  out["commit"] = log.commit;
  out["applied"] = log.applied;
  out["revision"] = status.revision;
  out["version"] = status.version;
  out["counts"] = counts_json(status);
  return out;
}

Task<Result<http::Response>> cluster(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query_of_read(request, {"checksum"}));
  CO_TRY(const auto checksum, flag_of(request, "checksum"));
  CO_TRY(const service::NodeStatus status, co_await service::node_status(context, call));
  json::object out = status_json(status);
  if (checksum.value_or(false)) {
    CO_TRY(const auto sum, co_await service::state_checksum(context, call));
    out["checksum"] = {{"revision", sum.revision}, {"applied", sum.applied}, {"sha256", sum.sha256}};
  }
  co_return json_response(200, out);
}

// --- changing the group ---

Task<Result<http::Response>> change(service::Context& context, service::Call call, consensus::Change change) {
  CO_TRYV(co_await service::change_group(context, call, std::move(change)));
  co_return json_response(200, group_json(context.group->status()));
}

Result<consensus::NodeId> node_in(const json::object& body, std::string_view member) {
  const json::value* value = body.if_contains(member);
  boost::system::error_code none;
  const auto node = value != nullptr && value->is_number() ? value->to_number<consensus::NodeId>(none) : 0;
  if (node != 0 && !none) return node;
  return fail(Code::invalid_argument, fmt::format("the body needs \"{}\": a node's number, 1 or more", member));
}

Task<Result<http::Response>> add_member(service::Context& context, service::Call call, http::Request& request) {
  using Kind = consensus::Change::Kind;
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"node", "address", "observer"}));
  consensus::Change adding;
  CO_TRY(adding.node, node_in(body, "node"));
  CO_TRY(adding.address, required_string(body, "address"));
  CO_TRY(const auto observer, optional_bool(body, "observer"));
  adding.kind = observer.value_or(false) ? Kind::add_observer : Kind::add;
  co_return co_await change(context, std::move(call), std::move(adding));
}

Task<Result<http::Response>> change_member(service::Context& context, service::Call call, http::Request& request) {
  using Kind = consensus::Change::Kind;
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"membership"}));
  consensus::Change changing;
  CO_TRY(changing.node, parse_uint(request.captures[0], "the node"));
  CO_TRY(const std::string membership, required_string(body, "membership"));
  if (membership != "voter" && membership != "observer") {
    co_return fail(Code::invalid_argument,
                   fmt::format("membership is {}: give voter or observer", cc::quoted(membership)));
  }
  changing.kind = membership == "voter" ? Kind::promote : Kind::demote;
  co_return co_await change(context, std::move(call), std::move(changing));
}

Task<Result<http::Response>> remove_member(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  consensus::Change removing{.kind = consensus::Change::Kind::remove};
  CO_TRY(removing.node, parse_uint(request.captures[0], "the node"));
  co_return co_await change(context, std::move(call), std::move(removing));
}

Task<Result<http::Response>> transfer(service::Context& context, service::Call call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  CO_TRY(const json::object body, object_of(request, {"to"}));
  consensus::Change transferring{.kind = consensus::Change::Kind::transfer};
  if (body.contains("to")) {
    CO_TRY(transferring.node, node_in(body, "to"));
  }
  co_return co_await change(context, std::move(call), std::move(transferring));
}

// --- for whoever watches over nodes ---

Task<Result<http::Response>> live(service::Context&, service::Call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  co_return http::Response::text(200, "ok\n");
}

Task<Result<http::Response>> ready_for(service::Context& context, service::Call, http::Request& request) {
  CO_TRYV(only_query(request, {"for"}));
  const std::string what = request.query("for").value_or("reads");
  if (what != "reads" && what != "writes") {
    co_return fail(Code::invalid_argument, fmt::format("for is {}: give reads or writes", cc::quoted(what)));
  }
  const service::Health health = service::health(context);
  if (what == "writes" ? health.takes_changes : health.serves_reads) co_return http::Response::text(200, "ok\n");
  co_return http::Response::text(
      503, health.serves_reads ? "changes are refused now; /healthz tells why\n" : "the node is stopping\n")
      .header("Retry-After", "1");
}

Task<Result<http::Response>> healthy(service::Context& context, service::Call, http::Request& request) {
  CO_TRYV(only_query(request, {}));
  const service::Health health = service::health(context);
  json::array checks;
  for (const service::Check& check : health.checks)
    checks.push_back({{"name", check.name}, {"status", check.status}, {"message", check.message}});
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
  const auto by = [&context](auto act) { return authenticated(context, std::bind_front(act, std::ref(context))); };
  router.add(http::Method::get, "/v1/cluster", by(cluster));
  router.add(http::Method::post, "/v1/cluster/members", by(add_member));
  router.add(http::Method::put, "/v1/cluster/members/{node}", by(change_member));
  router.add(http::Method::delete_, "/v1/cluster/members/{node}", by(remove_member));
  router.add(http::Method::post, "/v1/cluster/transfer", by(transfer));
  router.add(http::Method::get, "/livez", open(live));
  router.add(http::Method::get, "/readyz", open(ready_for));
  router.add(http::Method::get, "/healthz", open(healthy));
  router.add(http::Method::get, "/openapi.json", open(openapi));
}

}  // namespace cc::api::native
