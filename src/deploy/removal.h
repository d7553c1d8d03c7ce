// Taking an installation away again: hosts are as they were, but for packages.
#pragma once

#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

// Once its services are stopped. Files that were there before the first deployment are put back, others removed; with
// them the data, unless they are kept.
Stage removal_stage(const Topology& topology, bool keep_data);

}  // namespace cc::deploy
