// What must hold between the parts of a topology: inside src/deploy, after it was read.
#pragma once

#include "deploy/fields.h"
#include "deploy/topology.h"

namespace cc::deploy {

// To what was found in reading it adds: hosts that are not there, names that cannot be, counts that cannot work, ports
// that two components of a host would both take.
void check(const Topology& topology, Mistakes& mistakes);

}  // namespace cc::deploy
