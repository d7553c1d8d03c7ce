// The same installation in containers of one machine: an image of ours, and a compose file of all components. Pure
// functions of the topology; nothing here knows a secret, since those are files that the compose file names.
#pragma once

#include <string>
#include <string_view>

#include "deploy/rendering.h"
#include "deploy/topology.h"

namespace cc::deploy {

// Builds the image from a copy of the source tree, which is the context of the build.
std::string dockerfile(const Topology& topology);

// All components that the topology has, one service for each host of each, on one network. Components listen on their
// usual ports there; what the container section publishes, and the pages of the monitoring, are on the host's.
std::string compose_file(const Topology& topology);

// ".env": what the compose file leaves to be filled in, with what is good for a beginning.
std::string environment_file(const Topology& topology, std::string_view version);

// The folder of the installation: all of the above, and config/ with what the compose file mounts from there. Paths are
// relative to it. What may be filled in by hand is marked as made once.
RenderedFiles container_files(const Topology& topology, std::string_view version);

}  // namespace cc::deploy
