// The network between the hosts of an installation, before anything runs there: who reaches the ports that it will
// need, and how much goes through. Hosts listen themselves for that while it lasts, on ports that are theirs and still
// free.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "deploy/environment.h"
#include "deploy/facts.h"
#include "deploy/run.h"
#include "deploy/topology.h"

namespace cc::deploy {

// That one host must reach a port of another. Both by name.
struct Way {
  std::string from, to;
  Port port = 0;
  std::string whose;  // "the node's Raft"
};
std::vector<Way> ways_of(const Topology& topology);

struct Network {
  std::set<std::tuple<std::string, std::string, Port>> reached;    // from, to
  std::map<std::pair<std::string, std::string>, double> megabits;  // per second, from, to
  std::set<std::string> asked;                                     // hosts that could be
};

// Blocks for about a second for each host. `facts` of hosts that answered; the others are left out.
Network measure_network(const Hosts& hosts, const std::map<std::string, Facts>& facts);

// Of one host, as the one that reaches.
std::vector<Finding> check_network(const Topology& topology, const Host& host, const Network& network);

}  // namespace cc::deploy
