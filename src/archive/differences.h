// What the state has held against what the archive has of it.
#pragma once

#include <string>
#include <vector>

#include "state/feed.h"

namespace cc::archive {

// Each in words, as "release 17 (prod/shop/default/a.yaml version 3): sha256 is …, in the archive …". What only the
// archive has is no difference: nodes forget.
std::vector<std::string> differences(const std::vector<state::FeedRelease>& here,
                                     const std::vector<state::FeedRelease>& archived);
std::vector<std::string> differences(const std::vector<AuditRecord>& here, const std::vector<AuditRecord>& archived);

}  // namespace cc::archive
