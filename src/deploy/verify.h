// The sixth of the seven steps: whether an installation works, seen from its own hosts. Each service, what they are to
// each other (replication, quorum, who the load balancers see), and what they are for: a config is published, read,
// watched and removed through every way in.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deploy/environment.h"
#include "deploy/run.h"
#include "deploy/secrets.h"
#include "deploy/topology.h"

namespace cc::deploy {

// A script of root's on a host: succeeds, or prints what is wrong; with status kWarns, what one should know.
inline constexpr int kWarns = 3;
struct Probe {
  std::string host, name;
  std::string script;
  bool on_one_host = false;  // it succeeds on exactly one of the hosts that have a probe of that name
};
std::vector<Probe> probes_of(const Topology& topology, const Secrets& secrets);
// Of these, what tells that the next host may be touched: replication, quorum, that each node reaches a leader, that
// the load balancers see them. Each waits for a while, changes nothing, and is quick when all is well.
std::vector<Probe> gates_of(const Topology& topology, const Secrets& secrets);

// Runs them, each host's one after the other; a finding for each, of those on one host one for all. A host that cannot
// be reached fails once. `told` after each, from several threads, one call at a time.
std::vector<Finding> verify(
    const Hosts& hosts, const std::vector<Probe>& probes, const std::function<void()>& told = [] {});

}  // namespace cc::deploy
