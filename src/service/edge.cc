#include "service/edge.h"

#include "edge/edge.h"
#include "service/login.h"

namespace cc::service {

Result<ProjectionStatus> edge_status(Context& context, const Call& call) {
  TRYV(require_login(context, call, "edge.status"));
  if (context.edge == nullptr) {
    return fail(Code::not_found,
                "this node keeps no edge copy: give it cache.host, or cache.sentinels, to keep one in Redis "
                "(docs/edge.md)");
  }
  return context.edge->status();
}

}  // namespace cc::service
