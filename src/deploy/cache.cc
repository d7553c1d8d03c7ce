#include "deploy/cache.h"

#include <fmt/format.h>

#include "deploy/listening.h"

namespace cc::deploy {
namespace {

constexpr std::string_view kServerFile = "/etc/redis/redis.conf";
constexpr std::string_view kSentinelFile = "/etc/redis/sentinel.conf";

// The loopback interface for who works on the host. A name is resolved elsewhere than on the host itself (listening.h).
std::string bind(const Host& host) {
  if (!is_ip_address(host.address)) return "* -::*";
  if (host.address == "127.0.0.1" || host.address == "::1") return host.address;
  return fmt::format("127.0.0.1 -::1 {}", host.address);
}

std::string places(const Host& host, Port port, std::string_view log) {
  return fmt::format(
      "bind {}\n"
      "port {}\n"
      "protected-mode yes\n"
      "dir /var/lib/redis\n"
      "logfile /var/log/redis/{}.log\n",
      bind(host), port, log);
}

std::string server_file(const Topology& topology, const Secrets& secrets, const Host& host) {
  const Cache& cache = *topology.cache;
  const bool replica = host.name != cache.primary;
  std::string text = fmt::format("# Redis on {}, for {}'s edge copy.\n", host.name, topology.name);
  text +=
      cache.sentinels.empty()
          ? "# Written by config-center deploy: change the topology, not this file.\n\n"
          : "# Made once by config-center deploy. From then on Redis writes it itself whenever the Sentinels change "
            "its role:\n"
            "# change a running server with CONFIG SET and CONFIG REWRITE.\n\n";
  text += places(host, cache.port, "redis-server");
  for (const CacheSetting& setting : cache_settings(cache, secrets)) {
    if (!setting.why.empty()) text += fmt::format("\n# {}\n", setting.why);
    text += fmt::format("{} {}\n", setting.name, setting.value);
  }
  if (cache.replicas.empty()) return text;
  text += fmt::format(
      "\n# Where the others and the Sentinels find this one.\n"
      "replica-announce-ip {}\n"
      "replica-announce-port {}\n",
      host.address, cache.port);
  if (replica) {
    text += fmt::format("\n# {}, until another becomes the primary.\nreplicaof {} {}\n", cache.primary,
                        topology.host(cache.primary).address, cache.port);
  }
  return text;
}

std::string sentinel_file(const Topology& topology, const Secrets& secrets, const Host& host) {
  const Cache& cache = *topology.cache;
  const std::string& primary = topology.host(cache.primary).address;
  std::string text = fmt::format(
      "# Sentinel on {}, for {}'s edge copy: when the primary is gone, it and the others make a replica the primary.\n"
      "# Made once by config-center deploy. From then on Sentinel writes it itself: change a running one with SENTINEL "
      "SET.\n\n",
      host.name, topology.name);
  text += places(host, cache.sentinel_port, "redis-sentinel");
  text += fmt::format(
      "\n# The password of the Sentinels, here and with each other.\n"
      "requirepass {0}\n"
      "sentinel sentinel-pass {0}\n",
      secrets.cache);
  // Names are forbidden by default, as a resolver that hangs holds up a Sentinel.
  const bool names = !is_ip_address(primary) || !is_ip_address(host.address);
  text += fmt::format(
      "\n# Where the other ones find this one.\n"
      "sentinel resolve-hostnames {0}\n"
      "sentinel announce-hostnames {0}\n"
      "sentinel announce-ip {1}\n"
      "sentinel announce-port {2}\n",
      names ? "yes" : "no", host.address, cache.sentinel_port);
  text += fmt::format(
      "\n# {1} of {2} must agree that the primary is gone.\n"
      "sentinel monitor {0} {3} {4} {1}\n"
      "sentinel auth-pass {0} {5}\n"
      "sentinel down-after-milliseconds {0} 5000\n"
      "sentinel failover-timeout {0} 60000\n"
      "sentinel parallel-syncs {0} 1\n"
      "\n# Nobody who gets in makes it run a script.\n"
      "sentinel deny-scripts-reconfig yes\n",
      cache.primary_name, cache.sentinels.size() / 2 + 1, cache.sentinels.size(), primary, cache.port, secrets.cache);
  return text;
}

}  // namespace

std::vector<std::string> hosts_of(const Cache& cache) {
  std::vector<std::string> hosts{cache.primary};
  hosts.insert(hosts.end(), cache.replicas.begin(), cache.replicas.end());
  return hosts;
}

std::vector<CacheSetting> cache_settings(const Cache& cache, const Secrets& secrets) {
  const bool replicated = !cache.replicas.empty();
  return {
      {"requirepass", secrets.cache, "The password of clients, and of the servers with each other."},
      {"masterauth", secrets.cache, ""},
      {"maxmemory", cache.max_memory, "When it is full it says so, and drops nothing: a copy has all or it is none."},
      {"maxmemory-policy", "noeviction", ""},
      {"appendonly", "yes", "It is there again after a restart, but for the last second."},
      {"appendfsync", "everysec", ""},
      {"min-replicas-to-write", replicated ? "1" : "0",
       replicated ? "An old primary that comes back takes nothing that would be lost when it is demoted. So nothing is "
                    "written\n# either while no replica is there; nodes catch up on it afterwards."
                  : "There is no replica."},
      {"min-replicas-max-lag", "10", ""},
  };
}

RenderedFiles cache_files(const Topology& topology, const Secrets& secrets, const Host& host) {
  if (!topology.cache) return {};
  const Cache& cache = *topology.cache;
  RenderedFiles files;
  // Redis writes the files itself: the folder is its own, and so must they be.
  if (is_among(host.name, hosts_of(cache))) {
    files.push_back({.path = std::string(kServerFile),
                     .content = server_file(topology, secrets, host),
                     .mode = 0640,
                     .owner = "redis",
                     .secret = true,
                     .once = !cache.sentinels.empty()});
    files.push_back(start_with_network("redis-server"));
  }
  if (is_among(host.name, cache.sentinels)) {
    files.push_back({.path = std::string(kSentinelFile),
                     .content = sentinel_file(topology, secrets, host),
                     .mode = 0640,
                     .owner = "redis",
                     .secret = true,
                     .once = true});
    files.push_back(start_with_network("redis-sentinel"));
  }
  return files;
}

}  // namespace cc::deploy
