// Which request ids were answered with what, kept for a bounded time (by the commands' own times) and up to a bounded
// number, so that a repeated request is answered as the first one was and does nothing.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "state/applying.h"
#include "state/state.h"

namespace cc::state {

// The outcome of an earlier request under this id by this actor, as it was. invalid_argument when that request was
// about something else: answering it with the earlier outcome would acknowledge a change that was never made.
Result<std::optional<log::Outcome>> find_answered(Applying& at, const std::string& subject);
void remember_answered(Applying& at, const std::string& subject, const log::Outcome& outcome);

}  // namespace cc::state
