// Changes of a topology's text where a name stands; all else, comments too, is as it was.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "deploy/topology.h"

namespace cc::deploy {

// The text of a topology in which `to`, a replica of the database so far, and the primary have changed places; all
// else, comments too, is as it was. invalid_argument when `to` is no replica.
Result<std::string> with_primary(std::string_view text, const Topology& topology, const std::string& to);

// Hosts more, or fewer, in a list such as "app.hosts" or "database.replicas". invalid_argument when one is in it
// already, or is not.
Result<std::string> with_hosts(std::string_view text, std::string_view list, const std::vector<std::string>& hosts);
Result<std::string> without_hosts(std::string_view text, std::string_view list, const std::vector<std::string>& hosts);

}  // namespace cc::deploy
