// What is left to do when the majority of a group's voters is lost for ever. Of a node that is stopped.
#pragma once

#include "base/result.h"
#include "consensus/log.h"
#include "node/settings.h"

namespace cc::node {

// Where the node's log ends: of the nodes that are left, the one whose log ends last is to be recovered.
//   conflict   a process has the data folder, or it is another node's
//   not_found  there is no log in it
Result<consensus::Log::End> end_of_log(const Settings& settings);

// Makes the node a group of its own, of one: see consensus::Log::recover. Fails like end_of_log().
Result<consensus::Log::End> recover_group(const Settings& settings);

}  // namespace cc::node
