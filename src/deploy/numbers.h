// Which number each node has, for good: a number is never given to another host, so nodes can come and go. Kept beside
// the records of an installation.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "deploy/topology.h"

namespace cc::deploy {

class Numbers {
 public:
  // Those that were kept; none yet: empty. corruption names the file.
  static Result<Numbers> read(const Path& file);
  Result<> keep(const Path& file) const;

  // Gives each node of the topology its number: the one it had, or one that nobody has had. The first time they are the
  // founders, in their order; who comes later joins. Fills App::numbers, joined, founders and left.
  void apply(App& app, const Topology& topology);

 private:
  struct Node {
    std::uint64_t number = 0;
    bool founder = false;
    std::string address;  // host:port of its Raft, as it was last
    bool left = false;
  };
  std::map<std::string, Node> nodes_;  // by host
};

}  // namespace cc::deploy
