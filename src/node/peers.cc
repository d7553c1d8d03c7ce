#include "node/peers.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::node {

Result<std::vector<consensus::Peer>> parse_peers(std::string_view text, consensus::NodeId self) {
  std::vector<consensus::Peer> peers;
  if (trim(text).empty()) return peers;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view member = trim(part);
    const std::size_t at = member.find('@');
    if (at == std::string_view::npos || member.rfind(':') == std::string_view::npos) {
      return fail(Code::invalid_argument, fmt::format("raft.peers: \"{}\" is not node_id@host:port", member));
    }
    TRY(const std::uint64_t id, parse_uint(member.substr(0, at), "raft.peers: a node_id"));
    for (const auto& peer : peers) {
      if (peer.id == id) return fail(Code::invalid_argument, fmt::format("raft.peers: node_id {} is given twice", id));
    }
    peers.push_back({.id = id, .address = std::string(member.substr(at + 1))});
  }
  if (std::ranges::find(peers, self, &consensus::Peer::id) == peers.end()) {
    return fail(Code::invalid_argument,
                fmt::format("raft.peers does not name this node, {}: name all nodes of the group", self));
  }
  return peers;
}

}  // namespace cc::node
