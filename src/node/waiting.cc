#include "node/waiting.h"

#include <fmt/format.h>

namespace cc::node {
namespace {

Task<http::Response> answered(http::Response response) {
  co_return response;
}

}  // namespace

std::string waits_for(const consensus::Status& log, bool joins) {
  if (!log.trouble.empty()) return fmt::format("the log cannot be written: {}", log.trouble);
  if (log.servers.empty()) {
    if (!joins) return "it waits for " + log.waits_for;
    return fmt::format("a running group has to add this node, {}: config-center cluster add, on one of its nodes",
                       log.node_id);
  }
  if (log.leader_id == log.node_id) return "the cluster is being made";
  if (log.leader_id != 0) return fmt::format("the leader, node {}, makes the cluster or sends it", log.leader_id);
  std::vector<std::string> others;
  for (const auto& server : log.servers) {
    if (server.id != log.node_id) others.push_back(fmt::format("node {} at {}", server.id, server.address));
  }
  return fmt::format("more than half of the nodes have to be there to elect a leader; the others are {}",
                     fmt::join(others, ", "));
}

Error not_serving(const std::string& waits_for) {
  return {Code::unavailable, "this node does not serve yet: " + waits_for};
}

void add_waiting_routes(http::Router& router, const std::function<std::string()>& waits_for) {
  using http::Method;
  router.add(Method::get, "/livez", [](http::Request&) { return answered(http::Response::text(200, "ok\n")); });
  router.add(Method::get, "/readyz", [waits_for](http::Request&) {
    return answered(http::Response::text(503, not_serving(waits_for()).message + "\n").header("Retry-After", "1"));
  });
  for (const Method method : {Method::get, Method::put, Method::post, Method::delete_}) {
    for (const char* path : {"/", "/{path...}"}) {
      router.add(method, path, [waits_for](http::Request& request) {
        return answered(http::Response::error(not_serving(waits_for()), request.request_id));
      });
    }
  }
}

}  // namespace cc::node
