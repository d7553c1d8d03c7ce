#include "deploy/container_services.h"

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/cache.h"
#include "deploy/database.h"

namespace cc::deploy {
namespace {

std::vector<ContainerService> instances(std::string_view component, const std::vector<std::string>& hosts) {
  std::vector<ContainerService> out;
  out.reserve(hosts.size());
  for (const std::string& host : hosts)
    out.push_back({hosts.size() == 1 ? std::string(component) : fmt::format("{}-{}", component, host), host});
  return out;
}

}  // namespace

Services services_of(const Topology& topology) {
  Services out;
  if (topology.load_balancer) out.load_balancers = instances("haproxy", topology.load_balancer->hosts);
  out.nodes = instances("config-center", topology.app.hosts);
  if (const auto& database = topology.database) out.databases = instances("postgresql", hosts_of(*database));
  if (const auto& cache = topology.cache) {
    out.caches = instances("redis", hosts_of(*cache));
    out.sentinels = instances("sentinel", cache->sentinels);
  }
  return out;
}

std::vector<std::string> secrets_of(const Topology& topology) {
  std::vector<std::string> out{"jwt_secret", "encryption_key"};
  if (topology.app.hosts.size() > 1) out.emplace_back("raft_secret");
  if (topology.database) out.emplace_back("database_password");
  if (topology.database && !topology.database->replicas.empty()) out.emplace_back("replication_password");
  if (topology.cache) out.emplace_back("cache_password");
  if (topology.grafana) out.emplace_back("grafana_admin_password");
  return out;
}

Port HostPorts::take(Port wanted, std::string_view protocol) {
  while (!taken_.emplace(wanted, protocol).second)
    wanted = wanted == 65'535 ? Port{1024} : static_cast<Port>(wanted + 1);
  return wanted;
}

std::string quoted_text(std::string_view text, Dollars dollars) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '$' && dollars == Dollars::doubled) out += '$';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::vector<std::string> health_test(const Container& container) {
  const std::string& command = container.health_check.command;
  // What only a shell understands goes through one.
  if (command.find_first_of("|&;<>()$`\\\"'*?[]#~") != std::string::npos) return {"CMD-SHELL", command};
  std::vector<std::string> out{"CMD"};
  for (const std::string_view word : split(command, ' '))
    if (!word.empty()) out.emplace_back(word);
  return out;
}

std::string joined(const std::vector<ContainerService>& services, std::string_view separator,
                   std::string_view after_name) {
  std::string out;
  for (const ContainerService& service : services)
    out += fmt::format("{}{}{}", out.empty() ? "" : separator, service.name, after_name);
  return out;
}

}  // namespace cc::deploy
