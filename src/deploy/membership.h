// Nodes that join a running group and that leave it, on the hosts.
#pragma once

#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

// Before who joins is started: the group is told of it. None: nobody joins.
Stage joining_stage(const Topology& topology);
// When the load balancers know them no more: the group goes on without those that left.
Stage leaving_stage(const Topology& topology);

}  // namespace cc::deploy
