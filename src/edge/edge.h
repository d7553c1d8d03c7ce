// The edge of the installation, in Redis: a copy of what is published, for programs that read it there. See
// docs/edge.md for what they find.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "edge/copy.h"
#include "edge/status.h"
#include "edge/watcher.h"

namespace cc::edge {

class Edge {
 public:
  // Begins to look at the copy, which is all that a node does that does not lead.
  Edge(const Servers& servers, const std::string& key_prefix, const Copy::Source& source, const Clock& clock)
      : copy_(servers, {key_prefix}, source, status_, clock),
        watcher_(servers, {key_prefix}, source.state_file, status_, clock) {}

  // A job of the leader's: writes the copy until it is asked to stop.
  void write(const std::stop_token& stop, std::uint64_t term) { copy_.run(stop, term); }

  // Any thread; waits for nobody.
  ProjectionStatus status() const { return status_.read(); }

 private:
  Status status_;
  Copy copy_;
  Watcher watcher_;
};

}  // namespace cc::edge
