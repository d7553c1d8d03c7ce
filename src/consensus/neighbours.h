// The other nodes as this one knows them: what they say of themselves, whom it keeps a connection to, and how it comes
// into a group by them. Log thread only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "consensus/group.h"
#include "consensus/log.h"
#include "consensus/network.h"
#include "consensus/refusals.h"

namespace cc::consensus {

class Neighbours {
 public:
  Neighbours(const Options& options, const StateMachine& machine) : options_(options), machine_(machine) {}

  // --- what happens ---
  void met(const Greeting& greeting);
  // Whether most of the group refuse this node, so that it should not run. `group` null: it is not open.
  bool refused(const Peer& by, const Error& why, const Group* group);

  // --- in each tick, while the group is open ---
  // Makes a group with the others, or asks to be taken into theirs. requires: group.empty()
  Result<> form_or_join(Group& group);
  // As the leader. A node keeps its number wherever it is: one that is heard of is reached where the log says, whatever
  // it says itself, and the log is corrected for one that is not.
  void correct_addresses(Group& group);
  // Who is in the group decides whom this node is connected to; they are told what it is.
  void connect(Network& network, const Group& group);

  // What this node says of itself. `group` null: it is not open.
  Greeting greeting(const Group* group) const;
  // As that node says itself; empty when it was not met.
  std::string address_of(NodeId node) const;
  const std::string& waits_for() const { return waits_for_; }  // Status::waits_for
  void waits_no_more() { waits_for_.clear(); }

 private:
  const Options& options_;
  const StateMachine& machine_;
  std::map<NodeId, Greeting> met_;  // in this process's life
  Refusals refusals_;
  Greeting introduced_;
  std::vector<Peer> connected_to_;
  Mono asked_{};  // to be taken in
  std::string waits_for_;
};

}  // namespace cc::consensus
