// What else than its files must be known of Redis and the Sentinels by who installs them: with Debian's packages, in
// Debian's places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/secrets.h"
#include "deploy/topology.h"

namespace cc::deploy {

inline constexpr std::string_view kCacheUnit = "redis-server.service";
inline constexpr std::string_view kSentinelUnit = "redis-sentinel.service";

std::vector<std::string> hosts_of(const Cache& cache);  // the primary first; not those of Sentinels

struct CacheSetting {
  std::string_view name;
  std::string value;
  std::string_view why;  // a comment; empty: it goes with the one before
};

// Those that all servers have alike, whichever is the primary, and that a running one takes by CONFIG SET: with
// Sentinels its file is not written again, so a changed topology reaches it like this, followed by CONFIG REWRITE.
std::vector<CacheSetting> cache_settings(const Cache& cache, const Secrets& secrets);

}  // namespace cc::deploy
