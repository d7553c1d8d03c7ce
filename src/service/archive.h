// The archive, for those who operate the node.
#pragma once

#include "archive/archive.h"
#include "base/result.h"
#include "base/task.h"
#include "model/projection.h"
#include "service/context.h"
#include "service/done.h"

namespace cc::service {

// For everyone who has logged in. not_found when the node has no archive; so below.
Task<Result<ProjectionStatus>> archive_status(Context& context, const Call& call);

// For who may operate; a part, from a position on.
Task<Result<archive::Archive::Verified>> verify_archive(Context& context, const Call& call, state::FeedPosition after);

// For who may operate. Leaves an audit record.
Task<Result<Done>> rebuild_archive(Context& context, const Call& call);

}  // namespace cc::service
