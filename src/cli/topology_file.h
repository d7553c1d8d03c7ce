// The topology that a command is given, read and held against what nodes know.
#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"
#include "deploy/topology.h"

namespace CLI {
class App;
}

namespace cc::cli {

// -t, --topology; "topology.yaml" unless given.
void add_topology_option(CLI::App& command, std::string& file);

// Wrong usage, with every mistake, settings of nodes included, or how to begin when there is no such file.
Result<deploy::Topology> read_topology_file(const std::string& file);

// Where what was generated once is kept: beside the topology.
Path secrets_folder(const std::string& file, const deploy::Topology& topology);

}  // namespace cc::cli
