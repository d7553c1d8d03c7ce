// How the edge copy in Redis is.
#pragma once

#include "base/result.h"
#include "model/projection.h"
#include "service/context.h"

namespace cc::service {

// For everyone who has logged in, and for access keys. not_found when this node has no Redis.
Result<ProjectionStatus> edge_status(Context& context, const Call& call);

}  // namespace cc::service
