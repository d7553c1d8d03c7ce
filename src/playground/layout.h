// What a playground's folder is: how many nodes, whether the rest is there too, and on which ports. Kept in the folder,
// since what the servers keep of each other names the ports.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "playground/component.h"

namespace cc::playground {

using Ports = std::map<std::string, Port>;  // by what listens there: "node1", "node1.raft"

struct Layout {
  unsigned nodes = 3;
  bool full = false;
  Ports ports;
};

inline constexpr unsigned kBalancers = 2, kDatabases = 3, kCaches = 2, kSentinels = 3;

// "node", 2: "node2".
std::string numbered(std::string_view name, unsigned number);

// What such a playground listens for, in the order in which --port-base counts.
std::vector<std::string> port_names(unsigned nodes, bool full);

// Counted up from `base`, or free ones, none of which the system gives to a connection. already_exists: one of those
// counted is taken.
Result<Ports> choose_ports(const std::vector<std::string>& names, std::optional<Port> base);
// already_exists: somebody listens on one of them.
Result<> must_be_free(const Ports& ports);

// Nothing when the folder holds no playground.
Result<std::optional<Layout>> read_layout(const Path& folder);
Result<> keep_layout(const Path& folder, const Layout& layout);

}  // namespace cc::playground
