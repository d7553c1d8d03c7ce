// Who is in the group, as one entry of the log says it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "consensus/log.h"

namespace cc::consensus {

struct Member {
  NodeId id = 0;
  std::string address;
  Membership membership = Membership::voter;
  friend bool operator==(const Member&, const Member&) = default;
};

struct Members {
  std::vector<Member> all;

  const Member* find(NodeId id) const;
  bool votes(NodeId id) const;
  std::size_t voters() const;
  std::size_t majority() const { return voters() / 2 + 1; }
  bool empty() const { return all.empty(); }
  friend bool operator==(const Members&, const Members&) = default;

  // As libraft encodes a configuration: it writes the first entry of a log itself.
  std::string encode() const;
  // corruption when it is not what encode() made.
  static Result<Members> decode(std::string_view bytes);
};

}  // namespace cc::consensus
