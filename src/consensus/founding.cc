#include "consensus/founding.h"

#include <algorithm>

#include <fmt/format.h>

namespace cc::consensus {

Members founders_of(const Options& options) {
  Members members;
  for (const Peer& peer : options.peers)
    members.all.push_back({.id = peer.id, .address = peer.address});
  if (members.empty() && !options.join) members.all.push_back({.id = options.node_id, .address = options.address});
  std::ranges::sort(members.all, {}, &Member::id);
  return members;
}

std::string names_of(const Members& members) {
  std::string out;
  for (const Member& member : members.all)
    out += fmt::format("{}{}@{}", out.empty() ? "" : ",", member.id, member.address);
  return out;
}

Founding look_around(const Options& options, const std::map<NodeId, Greeting>& met) {
  Founding out{.exists = options.join};
  std::string missing;
  for (const Peer& peer : options.peers) {
    if (peer.id == options.node_id) continue;
    const auto found = met.find(peer.id);
    if (found != met.end() && found->second.formed) {
      out.exists = true;
      continue;
    }
    const bool agrees = found != met.end() && found->second.founders == names_of(founders_of(options));
    if (agrees) continue;
    missing += fmt::format("{}node {} at {}{}", missing.empty() ? "" : ", ", peer.id, peer.address,
                           found == met.end() ? "" : ", whose raft.peers are not those of this node");
  }
  out.can_form = !out.exists && missing.empty();
  if (out.exists) {
    out.waits_for = fmt::format(
        "the leader of the group that exists, which takes this node in; if node {} is not one of its members, add it: "
        "config-center cluster add",
        options.node_id);
  } else if (!out.can_form) {
    out.waits_for = "all nodes of raft.peers, which form the group then; not there yet: " + missing;
  }
  return out;
}

}  // namespace cc::consensus
