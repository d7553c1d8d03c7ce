// "1@10.0.0.1:7848,2@10.0.0.2:7848": the nodes of a group.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "consensus/log.h"

namespace cc::node {

// invalid_argument unless `text` is host:port, with a port that others can connect to.
Result<> check_address(std::string_view text);

inline constexpr consensus::NodeId kLastNodeId = consensus::NodeId{1} << 32;

// invalid_argument that names the member that is wrong, or when `self` is none of them. "" is an empty list.
Result<std::vector<consensus::Peer>> parse_peers(std::string_view text, consensus::NodeId self);

}  // namespace cc::node
