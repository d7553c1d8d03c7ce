// What was changed since a backup, as a file that goes along to all nodes when it is restored.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "state/restoring.h"

namespace cc::backup {

boost::json::object to_json(const state::Since& since);
// invalid_argument when it is not what to_json() made.
Result<state::Since> since_of(std::string_view text);

}  // namespace cc::backup
