#include "consensus/neighbours.h"

#include <algorithm>
#include <utility>

#include "consensus/founding.h"
#include "consensus/say.h"

namespace cc::consensus {

void Neighbours::met(const Greeting& greeting) {
  met_[greeting.node] = greeting;
  refusals_.met(greeting.node);
}

bool Neighbours::refused(const Peer& by, const Error& why, const Group* group) {
  log.error("this node and another one refuse each other", {{"node", by.id}, {"address", by.address}, {"reason", why}});
  refusals_.refused(by, why);
  if (group == nullptr) return false;
  const bool at_home = !group->empty() && !group->only_voter() && !group->stale();
  return !at_home && refusals_.most_refuse(group->empty());
}

Result<> Neighbours::form_or_join(Group& group) {
  const Mono now = std::chrono::steady_clock::now();
  const Founding founding = look_around(options_, met_);
  if (founding.can_form) {
    TRYV(group.form(founders_of(options_)));
    log.info("forming a group with the other nodes", {{"nodes", group.members().all.size()}});
    return {};
  }
  if (founding.waits_for != waits_for_) {
    waits_for_ = founding.waits_for;
    log.info("waiting", {{"for", waits_for_}});
  }
  constexpr auto kAskAgain = std::chrono::milliseconds(500);
  if (!founding.exists || now - asked_ < kAskAgain) return {};
  asked_ = now;
  for (const auto& [node, greeting] : met_)
    group.ask_for_admission(node);
  return {};
}

void Neighbours::correct_addresses(Group& group) {
  if (group.role() != Role::leader || group.change_pending()) return;
  for (const Member& member : group.members().all) {
    const bool self = member.id == options_.node_id;
    const auto found = met_.find(member.id);
    if (!self && (found == met_.end() || group.hears_of(member.id))) continue;
    const std::string& address = self ? options_.address : found->second.address;
    if (address == member.address) continue;
    const Change correction{.kind = Change::Kind::readdress, .node = member.id, .address = address};
    const std::string was = member.address;
    if (!group.change(correction)) continue;  // it has just been elected; or the address is another node's
    log.warn("the address of a node is another one now",
             {{"node", correction.node}, {"address", correction.address}, {"was", was}});
    return;
  }
}

void Neighbours::connect(Network& network, const Group& group) {
  Greeting now = greeting(&group);
  if (now.formed != introduced_.formed || now.group != introduced_.group) {
    introduced_ = now;
    network.introduce(std::move(now));
  }
  std::vector<Peer> others;
  const auto add = [&](NodeId id, const std::string& address) {
    if (id != options_.node_id && std::ranges::find(others, id, &Peer::id) == others.end())
      others.push_back({.id = id, .address = address});
  };
  for (const Member& member : group.members().all)
    add(member.id, member.address);
  if (group.members().empty()) {
    for (const Peer& peer : options_.peers)
      add(peer.id, peer.address);
  }
  if (others == connected_to_) return;
  connected_to_ = others;
  refusals_.listen_to(options_.peers.empty() ? others : options_.peers, options_.node_id);
  network.connect_to(std::move(others));
}

std::string Neighbours::address_of(NodeId node) const {
  const auto met = met_.find(node);
  return met == met_.end() ? "" : met->second.address;
}

Greeting Neighbours::greeting(const Group* group) const {
  Greeting out{.node = options_.node_id, .address = options_.address, .group = machine_.group()};
  out.formed = group != nullptr && !group->empty() && group->formed();
  if (!out.formed) out.founders = names_of(founders_of(options_));
  return out;
}

}  // namespace cc::consensus
