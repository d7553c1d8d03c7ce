// Who is in the group of nodes, and who leads it: for who may operate.
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "consensus/log.h"
#include "service/context.h"

namespace cc::service {

// Has the group change, and waits until that is committed, or the new leader leads; audited. Asking for what is so
// already is no error, so that a request whose answer was lost can be repeated. After unavailable and timeout it may
// still be done.
Task<Result<>> change_group(Context& context, const Call& call, consensus::Change change);

}  // namespace cc::service
