// What becomes of alert rules: alerts that are pending, fire, are told of, and end. No clock and no network is in it:
// who looks says what there is to see, and when.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "monitor/alert_rules.h"

namespace cc::monitor {

struct Alert {
  LabelMap labels, annotations;
  Wall began;
  Wall ended{};  // while it fires: none
  bool firing = true;
};

// All alerts of one rule: one cause is told of once, however many series there are of it.
struct Notification {
  std::string rule;
  std::vector<Alert> alerts;
  bool firing() const;  // one of them does
};
// As Alertmanager posts it to webhooks (version 4), so that the same receivers take it. `source`: the node's address.
std::string to_json(const Notification& notification, const std::string& source);

class Alerts {
 public:
  // `own`: labels of every alert, that say whose it is.
  Alerts(AlertRules rules, LabelMap own) : rules_(std::move(rules)), own_(std::move(own)) {}

  // What is to be told now: of rules whose alerts began or ended, or go on and were told of too long ago.
  std::vector<Notification> look(const std::vector<Series>& page, Mono now, Wall time);
  const AlertRules& rules() const { return rules_; }

 private:
  struct State {
    Alert alert;
    Mono since;  // it is so
    bool fires = false;
  };
  struct Known {
    std::map<LabelMap, State> alerts;  // by the labels of the series
    Mono told{};
  };
  Notification look(const AlertRule& rule, Known& known, const std::vector<Series>& page, Mono now, Wall time);

  AlertRules rules_;
  LabelMap own_;
  std::map<std::string, Known> known_;  // by the rules' names
};

}  // namespace cc::monitor
