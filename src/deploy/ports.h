// Which ports the components of a topology take on a host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/topology.h"

namespace cc::deploy {

struct TakenPort {
  Port port = 0;
  std::string whose;  // "the node's Raft"
  std::string place;  // in the topology: "components.app.raft_port"
};
std::vector<TakenPort> ports_of(const Topology& topology, std::string_view host);

}  // namespace cc::deploy
