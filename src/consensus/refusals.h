// Whether the others want this node at all. One that most of them refuse, for a reason that it cannot mend by itself,
// should not run: it would only be in the way.
//
// A single other node may be the one that is wrong, and a single time it may be an earlier self that they still
// remember. Whose word counts is named, with the address: a stranger that has the secret too does not end a node. And
// only a conflict counts, which is what nodes say; anything else could be done by somebody on the way.
#pragma once

#include <map>
#include <vector>

#include "base/result.h"
#include "consensus/log.h"

namespace cc::consensus {

class Refusals {
 public:
  // Whose word counts from now on; `self` may be among them and does not.
  void listen_to(std::vector<Peer> others, NodeId self);
  void refused(const Peer& by, const Error& why);
  void met(NodeId node) { times_.erase(node); }

  // Twice each since they were met: of the others most, when this node has no log and nothing to lose; else most of
  // all of them, this node among them.
  bool most_refuse(bool has_no_log) const;

 private:
  std::vector<Peer> others_;
  std::map<NodeId, int> times_;
};

}  // namespace cc::consensus
