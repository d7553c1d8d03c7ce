// Alert rules of a node's own (monitoring.alert_rules), looked at here and told of by webhooks: for installations
// without Prometheus.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "monitor/alerts.h"
#include "node/settings.h"

namespace cc::node {

// What the file says; nothing when the settings name none.
Result<std::optional<monitor::AlertRules>> alert_rules_of(const Settings& settings);

class Alerting {
 public:
  // `page` has the metrics; it may wait for the I/O threads. `clock` outlives this.
  Alerting(monitor::AlertRules rules, const std::string& address, std::function<std::string()> page,
           const Clock& clock);
  ~Alerting();  // a notification that is on its way is waited for, a few seconds at most
  Alerting(const Alerting&) = delete;
  Alerting& operator=(const Alerting&) = delete;

  // For good: `page` is not asked any more when this returns.
  void stop_looking();

 private:
  // To one webhook: notifications one after the other, each until it is taken.
  struct Outbox {
    std::string url;
    std::mutex mutex;
    std::condition_variable_any filled;
    std::deque<std::string> waiting;  // guarded by mutex
    std::jthread thread;
  };
  void look(const std::stop_token& stop);
  static void put(Outbox& outbox, const std::string& notification);
  static void tell(Outbox& outbox, const std::stop_token& stop);

  monitor::Alerts alerts_;
  const std::string address_;
  const std::function<std::string()> page_;
  const Clock& clock_;
  std::deque<Outbox> outboxes_;
  std::jthread looking_;
};

}  // namespace cc::node
