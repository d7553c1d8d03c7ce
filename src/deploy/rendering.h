// The files of an installation, host by host: pure functions of the topology and its secrets, one file of code for each
// component. Nothing here touches a host.
#pragma once

#include <string>
#include <vector>

#include "deploy/secrets.h"
#include "deploy/topology.h"

namespace cc::deploy {

struct RenderedFile {
  std::string path;  // on the host
  std::string content;
  unsigned mode = 0644;
  std::string owner = "root";  // user, which is the group's name as well
  bool secret = false;         // shown masked in plans
  // Whether it is somebody else's from then on, the program's itself (Sentinel) or the operator's (where alerts go):
  // made when it is not there, never compared nor written again.
  bool once = false;
  // The program's own check of it, run on the host before anything uses it: "{}" stands for the file. Empty: there is
  // none.
  std::string validator;
};
// In the order in which they are to be written: what a validator looks at comes before the file that it checks.
using RenderedFiles = std::vector<RenderedFile>;

RenderedFiles load_balancer_files(const Topology& topology, const Secrets& secrets,
                                  const Host& host);                                          // HAProxy, keepalived
RenderedFiles app_files(const Topology& topology, const Secrets& secrets, const Host& host);  // a node
RenderedFiles database_files(const Topology& topology, const Secrets& secrets, const Host& host);
RenderedFiles cache_files(const Topology& topology, const Secrets& secrets, const Host& host);       // Redis, Sentinel
RenderedFiles monitoring_files(const Topology& topology, const Secrets& secrets, const Host& host);  // Prometheus, …

// All of them that belong on the host.
RenderedFiles files_of(const Topology& topology, const Secrets& secrets, const Host& host);

}  // namespace cc::deploy
