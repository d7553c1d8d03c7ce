// What runs on the hosts: which service of which component, the files that it reads when it starts, and how one sees
// that it is ready.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/rendering.h"
#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

struct Service {
  std::string component;  // "app"
  std::string host;
  std::string unit;   // "haproxy.service"
  std::string ready;  // a script of root's that succeeds when it does its work
  // Whether it reads settings again without a restart: all of them, so that a deployment needs no restart unless the
  // unit or its arguments have changed; some (certificates, the level of the log), when an operator says so. That a
  // unit can be reloaded means nothing: Debian's of the exporter of hosts ends it.
  enum class Rereads { nothing, some, all } rereads = Rereads::nothing;
};

// In the order in which they are started: each after what it needs.
std::vector<Service> services_of(const Topology& topology, const Secrets& secrets);

// Which service reads the file; empty: none.
std::string unit_of(std::string_view path);

// A script that waits until it is ready, and tells why it did not become so.
std::string wait_until_ready(const Service& service);

// It runs with its files as they are now, and is ready; `release`: of a node, what it runs. A service that was not
// active before is stopped by undo; one that was runs with the files from before again.
Step running_step(const Service& service, const RenderedFiles& files, std::string_view release, const Run& run);

// It has read its settings again, without an interruption; one that does not run is left as it is. Nothing when it
// cannot.
std::optional<Step> reloaded_step(const Service& service, const Run& run);

Step stopped_step(const Service& service);

}  // namespace cc::deploy
