// What the files of an installation have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/topology.h"

namespace cc::deploy {

// The comment that a file begins with: who wrote it, and where the operator's own settings go (a sentence).
std::string written_by(std::string_view own_settings);

// host:port of several hosts, by name, separated by commas.
std::string hosts_and_ports(const Topology& topology, const std::vector<std::string>& names, Port port);

}  // namespace cc::deploy
