#include "service/status.h"

#include <utility>

#include "archive/archive.h"
#include "edge/edge.h"
#include "service/login.h"
#include "service/on_worker.h"

namespace cc::service {

Task<Result<NodeStatus>> node_status(Context& context, const Call& call) {
  CO_TRYV(require_login(context, call, "cluster.status"));
  CO_TRY(const auto counts,
         co_await ask(context, call, Work::question, [](const state::Queries& queries) { return queries.counts(); }));
  co_return NodeStatus{.cluster_id = context.cluster_id,
                       .version = context.node_version,
                       .revision = context.view.revision(),
                       .log = context.group->status(),
                       .configs = context.view.configs(),
                       .counts = counts};
}

Task<Result<state::Queries::Checksum>> state_checksum(Context& context, const Call& call) {
  CO_TRYV(authorise(context, call, Permission::operate, "cluster.checksum", "state"));
  co_return co_await ask(context, call, Work::search, [](const state::Queries& queries) { return queries.checksum(); });
}

Health health(const Context& context) {
  const consensus::Status log = context.group->status();
  const bool stops = context.stopping || context.leaving;
  Health out{
      .serves_reads = !stops, .takes_changes = !stops && takes_changes(log), .revision = context.view.revision()};
  const auto check = [&](std::string_view name, bool fine, std::string_view so, std::string_view otherwise) {
    out.checks.push_back(
        {.name = std::string(name), .status = fine ? "ok" : "failing", .message = std::string(fine ? so : otherwise)});
    out.degraded = out.degraded || !fine;
  };
  check("reads", out.serves_reads, "what is published is served from memory", "the node is stopping");
  // Anybody may ask: what is wrong with which folder is for who has logged in.
  const std::string why =
      log.trouble.empty() ? "there is no leader" : "the log cannot be written (why: \"trouble\" of GET /v1/cluster)";
  check("writes", takes_changes(log), "there is a leader, and changes are taken",
        why + "; reads are served, changes are refused until this is over");
  check("freshness", !context.group->stale(), "the leader was heard of a moment ago",
        "no leader was heard of for a while: reads may be older than what other nodes have acknowledged, and say so "
        "(X-Config-Stale); changes wait for a leader");
  if (context.archive != nullptr) {
    const ProjectionStatus archive = context.archive->status(context.view.revision());
    check(
        "archive", archive.trouble.empty(), "the archive in PostgreSQL is reached",
        "the archive is not written or not reached (why: GET /v1/archive); reads, watches and changes go on, and it is "
        "brought up to date when it is back");
  }
  if (context.edge != nullptr) {
    check("edge", context.edge->status().trouble.empty(), "the edge copy in Redis goes on",
          "the edge copy in Redis does not go on (why: \"trouble\" of GET /v1/edge); who reads there reads what was "
          "published before, everybody else is served as ever");
  }
  return out;
}

}  // namespace cc::service
