#include "node/peers.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/host_port.h"
#include "base/text.h"

namespace cc::node {

Result<> check_address(std::string_view text) {
  TRY(const HostAndPort address, parse_host_and_port(text));
  if (address.port == 0) return fail(Code::invalid_argument, fmt::format("\"{}\" needs a port, 1 or more", text));
  return {};
}

Result<std::vector<consensus::Peer>> parse_peers(std::string_view text, consensus::NodeId self) {
  std::vector<consensus::Peer> peers;
  if (trim(text).empty()) return peers;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view member = trim(part);
    const std::size_t at = member.find('@');
    if (at == std::string_view::npos || !check_address(member.substr(at + 1))) {
      return fail(Code::invalid_argument, fmt::format("raft.peers: \"{}\" is not node_id@host:port", member));
    }
    TRY(const std::uint64_t id, parse_uint(member.substr(0, at), "raft.peers: a node_id"));
    if (id == 0 || id > kLastNodeId) {
      return fail(Code::invalid_argument,
                  fmt::format("raft.peers: a node_id is between 1 and {}, and {} is not", kLastNodeId, id));
    }
    const std::string_view address = member.substr(at + 1);
    for (const auto& peer : peers) {
      if (peer.id == id) return fail(Code::invalid_argument, fmt::format("raft.peers: node_id {} is given twice", id));
      if (peer.address == address) {
        return fail(Code::invalid_argument,
                    fmt::format("raft.peers: nodes {} and {} have the same address, {}", peer.id, id, address));
      }
    }
    peers.push_back({.id = id, .address = std::string(address)});
  }
  if (std::ranges::find(peers, self, &consensus::Peer::id) == peers.end()) {
    return fail(Code::invalid_argument,
                fmt::format("raft.peers does not name this node, {}: name all nodes of the group", self));
  }
  return peers;
}

}  // namespace cc::node
