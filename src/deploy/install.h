// The second of the seven steps: packages of the system, users, folders.
#pragma once

#include <string>
#include <vector>

#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

// Names of Debian's packages for what runs on the host.
std::vector<std::string> packages_of(const Topology& topology, const Host& host);

Stage install_stage(const Topology& topology);

}  // namespace cc::deploy
