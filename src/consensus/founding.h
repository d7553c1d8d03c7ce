// What a node without a log does about it: it founds a group together with the others, or waits until the group that
// there is takes it in.
#pragma once

#include <map>
#include <string>

#include "consensus/log.h"
#include "consensus/members.h"
#include "consensus/network.h"

namespace cc::consensus {

// Who is to be in a new group, by id: those of raft.peers; alone, this node; nobody when it joins one.
Members founders_of(const Options& options);

// "1@10.0.0.1:7848,2@10.0.0.2:7848"
std::string names_of(const Members& members);

struct Founding {
  bool can_form = false;  // all founders are there, and none of them has a log or would found another group
  bool exists = false;    // the group does; what this node may have promised as its member is forgotten
  std::string waits_for;  // in words, when it cannot form
};
// What the nodes that were met say.
Founding look_around(const Options& options, const std::map<NodeId, Greeting>& met);

}  // namespace cc::consensus
