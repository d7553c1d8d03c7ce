// Which services an installation in containers consists of, and what they are called in its network.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deploy/rendering.h"
#include "deploy/topology.h"

namespace cc::deploy {

struct ContainerService {
  std::string name;  // in the network: of the component, and of the host where there are several
  std::string host;  // of the topology
};

struct Services {
  std::vector<ContainerService> load_balancers, nodes;
  std::vector<ContainerService> databases, caches;  // the primary first
  std::vector<ContainerService> sentinels;
};

Services services_of(const Topology& topology);

// Files of one secret each, which the services read: what they hold is for whoever makes them.
std::vector<std::string> secrets_of(const Topology& topology);

// What the components of others read: config/….
RenderedFiles configuration_files(const Topology& topology);

// Ports of the host. Whoever wants one that is taken gets the next.
class HostPorts {
 public:
  Port take(Port wanted, std::string_view protocol = "tcp");

 private:
  std::set<std::pair<Port, std::string>> taken_;
};

// In double quotes, as JSON, YAML and a Dockerfile have text. For a compose file `dollars` are doubled: there they
// begin a variable.
enum class Dollars { as_they_are, doubled };
std::string quoted_text(std::string_view text, Dollars dollars = Dollars::doubled);

// The words of the health check, "CMD" or "CMD-SHELL" first.
std::vector<std::string> health_test(const Container& container);

// The names, each with what comes after it.
std::string joined(const std::vector<ContainerService>& services, std::string_view separator,
                   std::string_view after_name = "");

}  // namespace cc::deploy
