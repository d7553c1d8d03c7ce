// What is left to do when the majority of a group's voters is lost for ever. Of a node that is stopped.
#pragma once

#include "base/result.h"
#include "node/settings.h"

namespace cc::node {

// conflict while a process has the data folder; not_found when there is no log in it. Changes nothing.
Result<> can_be_recovered(const Settings& settings);

// Makes the node a group of its own, of one: see consensus::Log::recover.
Result<> recover_group(const Settings& settings);

}  // namespace cc::node
