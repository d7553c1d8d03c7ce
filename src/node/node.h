// The composition root: from settings to a running node, and back. Members are built bottom-up and destroyed in
// reverse; each is handed what it uses.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "model/words.h"
#include "node/data_folder.h"
#include "node/settings.h"

namespace cc::node {

class Node {
 public:
  // What a node tells of itself, on threads of its own: these must not wait, nor stop it.
  struct Events {
    // Once: it has loaded what there is and serves.
    std::function<void(Revision)> serving;
    // It cannot go on: stop it. The message says why, and what to do.
    std::function<void(const Error&)> failed;
  };

  // Opens the state and the log, and listens. It serves as soon as its state is of a cluster: when it was that before,
  // at once, also when it reaches no other node; else when whoever leads its group has made the cluster. `settings`
  // have their secrets (complete_secrets).
  static Result<std::unique_ptr<Node>> start(Settings settings, DataFolder folder, const Clock& clock, Events events);
  ~Node();  // as stop()

  std::uint16_t port() const;
  std::uint16_t metrics_port() const;  // 0: monitoring is off

  // The cluster that it serves, or will in a moment; "" as long as there is none, and whom it waits for then.
  std::string cluster_id() const;
  std::string waits_for() const;
  // The node that leads its group, or 0.
  std::uint64_t leader() const;

  Result<> reload_tls();
  // What precedes stop(), for those who could notice it. When this node leads others, it hands that over, bounded in
  // time; `then` runs once, on any thread.
  void hand_over(std::move_only_function<void()> then);
  // /readyz says no from now on, and everything is served. Returns how long to wait before stop() until load balancers
  // have noticed: settings.server.drain; nothing where there is no other node to turn to.
  std::chrono::milliseconds leave();
  // Stops accepting, answers watchers, lets requests finish until settings.server.stop_timeout, closes the log.
  void stop();

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::node
