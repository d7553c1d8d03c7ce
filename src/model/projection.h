// How a projection of the log that is kept elsewhere is: the archive in PostgreSQL, the edge copy in Redis.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "model/words.h"

namespace cc {

struct ProjectionStatus {
  // One of the servers that it is kept on, as this node sees it.
  struct Endpoint {
    std::string address;  // host:port
    std::string role;     // "primary", "replica", or "" while it does not answer
    Revision revision = 0;
    std::string trouble;  // why it does not answer
  };

  bool writing = false;   // by this node, which leads
  Revision revision = 0;  // everything up to it is there
  std::uint64_t lag_revisions = 0;
  std::chrono::milliseconds lag{0};  // how long ago everything that was there then had arrived
  std::string trouble;               // why it does not go on; "" when it does
  std::vector<Endpoint> endpoints;
  // Since this node started.
  std::uint64_t batches = 0, errors = 0, connects = 0, went_back = 0;
  std::size_t connections = 0, connections_in_use = 0;
};

}  // namespace cc
