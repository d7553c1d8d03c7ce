// What this node counts together with the others, when there is a Redis: failed logins, so that who is locked out on
// one node is on all; requests, so that a limit is that of the group; and tokens that were revoked, which a node that
// is cut off from the group still hears of.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "edge/counters.h"
#include "identity/directory.h"
#include "identity/lockout.h"
#include "node/settings.h"
#include "service/rates.h"

namespace cc::node {

class Counting {
 public:
  // `revoke` is told of tokens that any node has revoked; any thread. What is given by reference outlives this.
  Counting(const edge::Servers& redis, const Settings& settings, identity::Lockout& lockout, service::Rates& rates,
           std::function<void(const identity::RevokedTokens&)> revoke, const Clock& clock);

  void announce(const identity::RevokedTokens& revoked);  // any thread; does not wait

 private:
  void failed(const std::string& who, unsigned limit);
  void locked(const std::string& who);
  void count_requests();
  void count_requests_of(const std::string& name, service::Rate& rate);
  void heard(const edge::Notice& notice);

  identity::Lockout& lockout_;
  service::Rates& rates_;
  std::function<void(const identity::RevokedTokens&)> revoke_;
  const Clock& clock_;
  std::chrono::milliseconds lock_;
  struct Seen {
    std::uint64_t total = 0;  // of all nodes
    Mono at{};
  };
  std::map<std::string, Seen> seen_;  // of requests, by whose; of the thread of counters_
  edge::Counters counters_;           // last: its thread uses all of this
};

}  // namespace cc::node
