// How the nodes of a group reach each other.
#pragma once

#include <memory>

#include "consensus/log.h"
#include "consensus/raft_api.h"

namespace cc::consensus {

// What raft_uv_init() takes. Must outlive the raft instance that uses it.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual raft_uv_transport* get() = 0;
};

// TCP on options.address when there are peers; for a group of one, a transport that listens nowhere.
Result<std::unique_ptr<Transport>> make_transport(const Options& options, uv_loop_t& loop);

}  // namespace cc::consensus
