// The group of nodes as the services of one of them see it: who is in it, who leads, and whether what is read here is
// still what the others acknowledge. In a node it is the log's; tests make their own of it.
#pragma once

#include <memory>

#include "consensus/log.h"

namespace cc::service {

// Thread-safe. Each member is the one of consensus::Log that has its name.
class Group {
 public:
  virtual ~Group() = default;
  virtual bool stale() const noexcept = 0;
  virtual consensus::Status status() const = 0;
  virtual void read_barrier(consensus::Log::Patience patience, consensus::Log::Then then) = 0;
  virtual void change(consensus::Change change, consensus::Log::Patience patience, consensus::Log::Then then) = 0;
};

std::unique_ptr<Group> group_of(consensus::Log& log);  // `log` outlives it

// Whether a change can be made through this node now: there is a leader, and this node's own log can be written.
bool takes_changes(const consensus::Status& status);

}  // namespace cc::service
