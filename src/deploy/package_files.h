// Packages from files of the operator's, for hosts that reach no archive of packages: on each host they become one, and
// APT takes from it what a host needs, with all that it depends on.
#pragma once

#include <string>
#include <string_view>

#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

inline constexpr std::string_view kPackagesFolder = "/var/lib/config-center-packages";  // on the hosts

Step package_files_step(const Topology& topology, const Host& host);

// Arguments of apt-get: that it asks nobody else when the topology names files, and waits for who is at it already.
std::string apt_arguments(const Topology& topology);
// A line of a script: APT knows what there is.
std::string apt_update(const Topology& topology);

}  // namespace cc::deploy
