#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/container.h"
#include "deploy/container_services.h"

namespace cc::deploy {
namespace {

// Redis forks to save, and what is written meanwhile is there twice.
std::uint64_t megabytes_for_cache(std::string_view max_memory) {
  constexpr std::uint64_t kUsual = 1024, kLeast = 256;
  const auto digits = std::min(max_memory.find_first_not_of("0123456789"), max_memory.size());
  const auto number = parse_uint(max_memory.substr(0, digits), "max_memory");
  if (!number) return kUsual;
  const char unit = digits == max_memory.size()
                        ? 'b'
                        : static_cast<char>(std::tolower(static_cast<unsigned char>(max_memory[digits])));
  const std::uint64_t kilobytes = unit == 'g'   ? *number << 20
                                  : unit == 'm' ? *number << 10
                                  : unit == 'k' ? *number
                                                : *number >> 10;
  return std::max(kLeast, kilobytes * 2 / 1024);
}

std::string secrets_folder(std::string folder) {
  const bool has_place = folder.starts_with('/') || folder.starts_with("./") || folder.starts_with("../");
  return has_place ? folder : "./" + folder;
}

}  // namespace

std::string environment_file(const Topology& topology, std::string_view version) {
  std::string out =
      "# Made by: config-center container env\n"
      "# What compose.yaml takes from here. Everything needs a value.\n";
  out += fmt::format("CONFIG_CENTER_IMAGE=config-center:{}\n", version);
  std::string versions;
  if (topology.load_balancer) versions += "HAPROXY_VERSION=2.6\n";
  if (topology.database) versions += "POSTGRESQL_VERSION=15\n";
  if (topology.cache) versions += "REDIS_VERSION=7.2\n";
  if (topology.prometheus) versions += "PROMETHEUS_VERSION=v2.53.4\n";
  if (topology.alertmanager) versions += "ALERTMANAGER_VERSION=v0.28.1\n";
  if (topology.grafana) versions += "GRAFANA_VERSION=11.6.0\n";
  if (!versions.empty()) out += "\n# Versions of the images of others; pin what you have tried.\n" + versions;
  out += "\n# What each container may use at most. There cannot be more CPUs than the machine has.\n";
  out += "NODE_CPUS=1\nNODE_MEMORY=1g\n";
  if (topology.database) out += "DATABASE_CPUS=1\nDATABASE_MEMORY=1g\n";
  if (topology.cache) out += fmt::format("CACHE_MEMORY={}m\n", megabytes_for_cache(topology.cache->max_memory));
  if (topology.prometheus) out += "PROMETHEUS_MEMORY=1g\n";
  out += fmt::format(
      "\n# Secrets are no variables but files, one each. Nobody but you comes into their folder; the containers, which "
      "run\n"
      "# as other users, read the files. Make them once:\n"
      "#   mkdir -p -m 700 {0}\n"
      "#   for secret in {1}; do\n"
      "#     test -s {0}/$secret || openssl rand -hex 32 > {0}/$secret\n"
      "#   done\n"
      "#   chmod 444 {0}/*\n"
      "SECRETS_DIR={0}\n",
      secrets_folder(topology.security.secrets_dir), fmt::join(secrets_of(topology), " "));
  return out;
}

}  // namespace cc::deploy
