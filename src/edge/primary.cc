#include "edge/primary.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace cc::edge {
namespace {

// `ROLE` of a primary: "master", an offset, [[host, port, offset], …].
Result<std::vector<std::string>> replicas_of(Redis& redis) {
  TRY(const Reply role, redis.ask({"ROLE"}));
  const std::string is = role.items.empty() ? "unknown" : role.items.front().text;
  if (is != "master") {
    return fail(Code::unavailable,
                fmt::format("Redis at {} is no primary (its role is {}): give the primary's address, or let Sentinels "
                            "find it (cache.sentinels)",
                            to_string(redis.address()), printable(is, 50)));
  }
  std::vector<std::string> replicas;
  if (role.items.size() < 3) return replicas;
  for (const Reply& replica : role.items[2].items) {
    if (replica.items.size() >= 2)
      replicas.push_back(fmt::format("{}:{}", printable(replica.items[0].text), printable(replica.items[1].text)));
  }
  return replicas;
}

Result<Found> connect_to(const HostAndPort& address, const Servers& servers, const Patience& patience) {
  TRY(Redis redis, Redis::connect(address, servers.password, patience));
  TRY(auto replicas, replicas_of(redis));
  return Found{.redis = std::move(redis), .replicas = std::move(replicas)};
}

Result<HostAndPort> ask_sentinel(const HostAndPort& sentinel, const Servers& servers, const Patience& patience) {
  TRY(Redis redis, Redis::connect(sentinel, servers.sentinel_password, patience));
  TRY(const Reply reply, redis.ask({"SENTINEL", "get-master-addr-by-name", servers.sentinel_primary}));
  if (reply.items.size() == 2) {
    const auto port = parse_uint(reply.items[1].text, "the port");
    if (port && *port <= 65535)
      return HostAndPort{.host = reply.items[0].text, .port = static_cast<std::uint16_t>(*port)};
  }
  return fail(Code::unavailable, fmt::format("the Sentinel at {} knows no primary {} (cache.sentinel_primary)",
                                             to_string(sentinel), printable(servers.sentinel_primary)));
}

// Asked in turn, until more than half of all have named the same.
Result<HostAndPort> ask_sentinels(const Servers& servers, const Patience& patience) {
  Patience of_one = patience;
  of_one.each /= 3;  // one that does not answer must leave time for the next
  std::string said;
  std::map<std::string, std::pair<std::size_t, HostAndPort>> named;
  for (const HostAndPort& sentinel : servers.sentinels) {
    auto address = ask_sentinel(sentinel, servers, of_one);
    if (address) {
      auto& [times, which] = named[to_string(*address)];
      which = *std::move(address);
      if (2 * ++times > servers.sentinels.size()) return which;
    } else {
      said += fmt::format("{}{}", said.empty() ? "no Sentinel names a primary: " : "; ", address.error().message);
    }
  }
  if (named.empty()) return fail(Code::unavailable, std::move(said));
  return std::ranges::max_element(named, {}, [](const auto& each) { return each.second.first; })->second.second;
}

}  // namespace

Result<Found> find_primary(const Servers& servers, const Patience& patience) {
  if (servers.sentinels.empty()) return connect_to(servers.address, servers, patience);
  TRY(const HostAndPort address, ask_sentinels(servers, patience));
  return connect_to(address, servers, patience);
}

Result<> still_primary(Redis& redis, const Servers& servers, const Patience& patience) {
  TRYV(replicas_of(redis));
  if (servers.sentinels.empty()) return {};
  const auto address = ask_sentinels(servers, patience);
  if (!address || to_string(*address) == to_string(redis.address())) return {};
  return fail(Code::unavailable,
              fmt::format("the primary is now {}, no longer {}", to_string(*address), to_string(redis.address())));
}

}  // namespace cc::edge
