#include <fmt/format.h>

#include "deploy/cache.h"
#include "playground/part.h"

namespace cc::playground {
namespace {

std::string places(const Site& site, const std::string& name) {
  return fmt::format("bind 127.0.0.1\nport {}\ndir \"{}\"\n", site.port(name), (site.folder / name).string());
}

std::string server_settings(const Site& site, unsigned number) {
  const std::string name = numbered("redis", number);
  std::string text = places(site, name) + "save \"\"\nrepl-diskless-sync-delay 0\n";
  const deploy::Cache cache{.primary = "redis1", .replicas = {"redis2"}, .sentinels = {}, .max_memory = "64mb"};
  for (const deploy::CacheSetting& setting : deploy::cache_settings(cache, site.secrets))
    text += fmt::format("{} {}\n", setting.name, setting.value);
  text += fmt::format("replica-announce-ip 127.0.0.1\nreplica-announce-port {}\n", site.port(name));
  if (number > 1) text += fmt::format("replicaof 127.0.0.1 {}\n", site.port("redis1"));
  return text;
}

std::string sentinel_settings(const Site& site, const std::string& name) {
  return places(site, name) + fmt::format(
                                  "requirepass {0}\n"
                                  "sentinel sentinel-pass {0}\n"
                                  "sentinel monitor {1} 127.0.0.1 {2} {3}\n"
                                  "sentinel auth-pass {1} {0}\n"
                                  "sentinel down-after-milliseconds {1} 5000\n"
                                  "sentinel failover-timeout {1} 60000\n"
                                  "sentinel parallel-syncs {1} 1\n",
                                  site.secrets.cache, kPrimaryName, site.port("redis1"), kSentinels / 2 + 1);
}

}  // namespace

Part caches(const Site& site) {
  Part part;
  const auto add = [&](const std::string& name, const char* file, std::string content) -> Component& {
    const Path folder = site.folder / name;
    // Redis writes it itself when another server becomes the primary.
    part.files.push_back({.path = folder / file, .content = std::move(content), .once = true});
    part.components.push_back({.name = name,
                               .arguments = {site.programs.path("redis-server"), (folder / file).string()},
                               .folder = folder,
                               .port = site.port(name),
                               .readiness = Listens{site.port(name)}});
    return part.components.back();
  };
  for (unsigned number = 1; number <= kCaches; ++number) {
    Component& server = add(numbered("redis", number), "redis.conf", server_settings(site, number));
    if (number > 1) server.needs = {"redis1"};
  }
  for (unsigned number = 1; number <= kSentinels; ++number) {
    const std::string name = numbered("sentinel", number);
    Component& sentinel = add(name, "sentinel.conf", sentinel_settings(site, name));
    sentinel.arguments.emplace_back("--sentinel");
    sentinel.needs = {"redis1", "redis2"};
  }
  return part;
}

}  // namespace cc::playground
