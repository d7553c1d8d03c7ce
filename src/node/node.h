// The composition root: from settings to a running node, and back. Members are built bottom-up and destroyed in
// reverse; each is handed what it uses.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "node/settings.h"

namespace cc::node {

class Node {
 public:
  // Opens the data folder, replays the log, loads the views, makes a new cluster on the first start, and serves.
  // `settings` have their secrets (complete_secrets).
  static Result<std::unique_ptr<Node>> start(Settings settings, const Clock& clock);
  ~Node();  // as stop()

  std::uint16_t port() const;
  std::uint16_t metrics_port() const;  // 0: monitoring is off
  // Set on the first start only: the administrator's password, which nobody will see again.
  const std::optional<std::string>& first_password() const;

  Result<> reload_tls();
  // Stops accepting, answers watchers, lets requests finish until settings.server.stop_timeout, closes the log.
  void stop();

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cc::node
