// What an installation needs over the years, as stages of steps: each tells what is due before it does it, interrupts
// nobody, and is not undone.
#pragma once

#include <string>
#include <vector>

#include "deploy/secrets.h"
#include "deploy/step.h"
#include "deploy/topology.h"
#include "deploy/verify.h"

namespace cc::deploy {

// All nodes have made the same of the same log: reads everything that each of them holds.
Probe same_state(const Topology& topology);

// What each node does for its own folder (node/upkeep.h). In the archive: statistics, also of tables that are parts,
// which PostgreSQL never looks at by itself; room of what was deleted; indexes that are mostly empty, made anew beside
// the old ones; the part for the next month.
Stage databases_stage(const Topology& topology, const Run& run);

// Releases that nobody goes back to without a package, what deployments have kept to be undone, files that were left
// half way.
Stage cleaning_stage(const Topology& topology);

// Which packages there are, as the hosts know it: asked again when that is older than a day.
Stage package_lists_stage(const Topology& topology);
// What is due of security updates: of the packages that run on a host, and of those that they need. From the packages'
// files of the topology, when it names some, whatever is newer. Changes nothing as long as it is only planned.
Stage updates_stage(const Topology& topology, const Secrets& secrets);
// The same, to be carried out on those hosts: one host after the other, what runs there is ready again, and what others
// see of it is as it should be, before the next. Replicas come before primaries, of the nodes the leader last.
Stages updates_stages(const Topology& topology, const Secrets& secrets, const std::vector<std::string>& hosts);

// For Prometheus, through the exporter of each host.
Stage report_stage(const Topology& topology, const Run& run);

}  // namespace cc::deploy
