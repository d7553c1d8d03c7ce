// The composition root: from settings to a running node, and back. Members are built bottom-up and destroyed in
// reverse; each is handed what it uses.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "node/data_folder.h"
#include "node/settings.h"

namespace cc::node {

class Node {
 public:
  // Opens the state, replays the log, listens, makes a new cluster on the first start, loads the views, and serves.
  // `settings` have their secrets (complete_secrets).
  static Result<std::unique_ptr<Node>> start(Settings settings, DataFolder folder, const Clock& clock);
  ~Node();  // as stop()

  std::uint16_t port() const;
  std::uint16_t metrics_port() const;  // 0: monitoring is off

  Result<> reload_tls();
  // Stops accepting, answers watchers, lets requests finish until settings.server.stop_timeout, closes the log.
  void stop();

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::node
