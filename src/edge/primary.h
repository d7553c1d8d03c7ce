// Which Redis is the primary, and a connection to it: the one that the settings name, or the one that most Sentinels
// do, of which some may not have heard of a failover. Either must say itself that it is (ROLE): what is written to a
// replica is lost.
#pragma once

#include <string>
#include <vector>

#include "base/host_port.h"
#include "base/result.h"
#include "edge/redis.h"

namespace cc::edge {

struct Servers {
  HostAndPort address;  // when there are no Sentinels
  std::vector<HostAndPort> sentinels;
  std::string sentinel_primary;  // the name that they know it by
  std::string password, sentinel_password;
};

struct Found {
  Redis redis;
  std::vector<std::string> replicas;  // host:port, as the primary names them
};

// unavailable, with what those that were asked said.
Result<Found> find_primary(const Servers& servers, const Patience& patience);

// Whether `redis` still is what find_primary() would find; the error says what is otherwise. That no Sentinel answers
// is no reason to leave it.
Result<> still_primary(Redis& redis, const Servers& servers, const Patience& patience);

}  // namespace cc::edge
