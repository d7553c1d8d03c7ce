// How this node is.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "consensus/log.h"
#include "model/words.h"
#include "service/context.h"
#include "service/group.h"
#include "state/queries.h"

namespace cc::service {

struct NodeStatus {
  std::string cluster_id, version;
  Revision revision = 0;
  consensus::Status log;
  std::size_t configs = 0;  // published now
  state::Queries::Counts counts{};
};
// For everyone who has logged in, and for access keys.
Task<Result<NodeStatus>> node_status(Context& context, const Call& call);

// Of all that this node's state holds, to hold nodes against each other; for who may operate. Reads all of it.
Task<Result<state::Queries::Checksum>> state_checksum(Context& context, const Call& call);

struct Check {
  std::string name, status, message;  // status: "ok" or "failing"; message: what it means, and why
};
struct Health {
  bool serves_reads = false;  // else the load balancer should look elsewhere
  bool takes_changes = false;
  bool degraded = false;  // reads are served, but something is not as it should be
  Revision revision = 0;
  std::vector<Check> checks;
};
Health health(const Context& context);

}  // namespace cc::service
