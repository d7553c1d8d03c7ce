#include "deploy/file_text.h"

#include <fmt/format.h>

#include "base/host_port.h"

namespace cc::deploy {

std::string written_by(std::string_view own_settings) {
  return fmt::format(
      "# Written by config-center deploy. Your changes here are noticed, and overwritten only when you say so.\n"
      "# {}\n",
      own_settings);
}

std::string hosts_and_ports(const Topology& topology, const std::vector<std::string>& names, Port port) {
  std::string all;
  for (const std::string& name : names)
    all += fmt::format("{}{}", all.empty() ? "" : ",", host_and_port(topology.host(name).address, port));
  return all;
}

}  // namespace cc::deploy
