// Another host becomes the primary of PostgreSQL or of Redis: planned, or because the old one is lost.
#pragma once

#include <string>

#include "deploy/run.h"
#include "deploy/stages.h"
#include "deploy/topology.h"

namespace cc::deploy {

// The replica that has received most of what the primary wrote.
Result<std::string> most_advanced_replica(const Hosts& hosts, const Database& database);

// `after`: with the topology as it shall be. The old primary is stopped first, so that there are never two; unless it
// is lost, which leaves all that is on its host to a later deployment. Must not be undone: once a replica was promoted,
// the old primary lacks what is written from then on.
Stages database_failover(const Wish& after, const std::string& old_primary, bool lost);

Stages cache_failover(const Topology& topology, const Secrets& secrets, const Run& run);

}  // namespace cc::deploy
