// To a host: what runs commands there. Local or by SSH; tests have one that answers from memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/file.h"
#include "base/process.h"
#include "base/result.h"
#include "deploy/topology.h"

namespace cc::deploy {

class Connection {
 public:
  virtual ~Connection() = default;
  // A script for sh. unavailable when the host cannot be reached, with what to do; what the script itself ends with is
  // in the outcome. Blocks; thread-safe.
  virtual Result<Finished> run(std::string_view script, const Deadline& until) = 0;
  // A file of ours to a place there, whole, and readable by all; a folder as a .tar of what is in it.
  virtual Result<> put(const Path& from, const std::string& to, const Deadline& until) = 0;
  // A file there, which root may read, to a place of ours, whole, and readable by us alone.
  virtual Result<> get(const std::string& from, const Path& to, const Deadline& until) = 0;
};

// By the operator's own ssh, with its configuration, its agent and the host keys that it knows: a host whose key is
// unknown or has changed is not talked to, and nothing is asked.
std::unique_ptr<Connection> connect(const Topology& topology, const Host& host);

// The arguments of ssh, up to the command; for tests and messages.
std::vector<std::string> ssh_arguments(const Topology& topology, const Host& host);

}  // namespace cc::deploy
