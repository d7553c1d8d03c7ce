// Asking who did what.
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "model/words.h"
#include "service/context.h"
#include "service/past.h"
#include "state/queries.h"

namespace cc::service {

// Newest first. Who may read audit records of one environment or application only asks with a target prefix that
// lies within it: "prod/", "prod/shop/".
Task<Result<Answer<state::Page<AuditRecord>>>> audit_records(Context& context, const Call& call,
                                                             state::AuditFilter filter, state::PageRequest page);

}  // namespace cc::service
