#include "service/status.h"

#include <algorithm>

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
                       .log = context.log.status(),
                       .configs = context.view.configs(),
                       .counts = counts};
}

Health health(const Context& context) {
  const consensus::Status log = context.log.status();
  const bool stops = context.stopping || context.leaving;
  Health out{.serves_reads = !stops, .revision = context.view.revision()};
  out.checks.push_back(stops ? Check{.name = "reads", .status = "failing", .message = "the node is stopping"}
                             : Check{.name = "reads", .status = "ok", .message = ""});
  const bool writes = log.role != consensus::Role::unavailable && log.leader_id != 0 && log.trouble.empty();
  // Anybody may ask: what is wrong with which folder is for who has logged in.
  const std::string why =
      log.trouble.empty() ? "there is no leader" : "the log cannot be written (why: \"trouble\" of GET /v1/cluster)";
  out.checks.push_back(writes ? Check{.name = "writes", .status = "ok", .message = ""}
                              : Check{.name = "writes",
                                      .status = "failing",
                                      .message = why + "; reads are served, changes are refused until this is over"});
  out.degraded = std::ranges::any_of(out.checks, [](const Check& check) { return check.status != "ok"; });
  return out;
}

}  // namespace cc::service
