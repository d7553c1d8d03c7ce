// The files of monitoring, held against the programs that read them, before any host has them. Here, on the operator's
// side: the packages prometheus and prometheus-alertmanager have what it takes.
#pragma once

#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/file.h"
#include "deploy/environment.h"
#include "deploy/topology.h"

namespace cc::deploy {

// Of each file what its own program says, and of each dashboard whether Prometheus understands what it asks. Not tested
// is what has its program missing; the message names the package. `work`: an empty folder.
Result<std::vector<Finding>> check_monitoring(const Topology& topology, const Path& work, const Deadline& until);

// Who would be told of an alert with these labels ("severity=critical"), by an alertmanager.yml.
Result<std::vector<std::string>> receivers_of(const Path& settings, const std::vector<std::string>& labels,
                                              const Deadline& until);

// The Debian package that has promtool or amtool.
std::string_view package_of(std::string_view program);

}  // namespace cc::deploy
