#include "deploy/topology_check.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/database.h"
#include "deploy/ports.h"

namespace cc::deploy {
namespace {

// Of names of installations and hosts: they become parts of file names and of arguments.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name.front() != '-' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

// Of addresses and the like, which stand in generated files and in commands: nothing that ends a word or a line.
bool is_one_word(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || std::string_view("\"'\\$`;&|<>(){}#").contains(c);
  });
}

class Check {
 public:
  Check(const Topology& topology, Mistakes& mistakes) : topology_(topology), unread_(mistakes), mistakes_(mistakes) {}

  void run() {
    names();
    hosts();
    members();
    counts();
    words();
    virtual_address();
    ports();
    monitoring();
  }

 private:
  // What could not be read is no mistake once more.
  void wrong(std::string_view place, std::string_view message) {
    if (unread_.told_of(place)) return;
    mistakes_.add_at(place, fmt::format("{}: {}", place, message));
  }

  // They become parts of file names and of YAML.
  void monitoring() {
    std::set<std::string> jobs;
    for (std::size_t i = 0; i < topology_.monitoring.targets.size(); ++i) {
      const auto& target = topology_.monitoring.targets[i];
      const std::string place = fmt::format("monitoring.metrics.targets.{}", i + 1);
      if (!is_plain_name(target.job))
        wrong(place + ".job", fmt::format("\"{}\" is no name: letters, digits, - _ . make one", target.job));
      if (!jobs.insert(target.job).second) wrong(place + ".job", fmt::format("there are two jobs \"{}\"", target.job));
      if (!target.path.empty() && (target.path.front() != '/' || !is_one_word(target.path)))
        wrong(place + ".path", fmt::format("\"{}\" is no path, such as /metrics", target.path));
    }
    const auto is_duration = [](std::string_view text) {
      return is_one_word(text) && text.front() >= '0' && text.front() <= '9';
    };
    if (!is_duration(topology_.monitoring.scrape_interval))
      wrong("monitoring.metrics.scrape_interval", "is a time, such as 15s");
    if (!is_duration(topology_.monitoring.retention))
      wrong("monitoring.metrics.retention_period", "is a time, such as 15d");
  }

  void names() {
    if (!is_plain_name(topology_.name))
      wrong("name", fmt::format("\"{}\" is no name: letters, digits, - _ . make one", topology_.name));
  }

  void hosts() {
    if (topology_.hosts.empty()) wrong("hosts", "there is none");
    std::map<std::string, std::string> by_address;
    for (const Host& host : topology_.hosts) {
      const std::string place = "hosts." + host.name;
      if (!is_plain_name(host.name)) wrong(place, "is no name of a host: letters, digits, - _ . make one");
      if (host.address.empty()) {
        wrong(place, "has no address: give the one at which the other hosts reach it, or local: true");
      } else if (!is_one_word(host.address)) {
        wrong(place + ".address", fmt::format("\"{}\" is no address", host.address));
      } else if (const auto [other, is_new] = by_address.emplace(host.address, host.name); !is_new) {
        wrong(place + ".address", fmt::format("{} is the address of {} as well", host.address, other->second));
      }
      for (const auto& [what, text] : {std::pair("user", host.ssh.user), std::pair("jump", host.ssh.jump)}) {
        if (!text.empty() && (!is_one_word(text) || text.starts_with('-')))
          wrong(fmt::format("{}.ssh.{}", place, what), fmt::format("\"{}\" cannot be one", text));
      }
    }
  }

  void member(const std::string& place, const std::string& name) {
    if (name.empty() || topology_.find_host(name) != nullptr) return;
    std::vector<std::string_view> known;
    known.reserve(topology_.hosts.size());
    for (const Host& host : topology_.hosts)
      known.push_back(host.name);
    const std::string_view near = nearest(name, known);
    wrong(place, fmt::format("there is no host \"{}\"{}", name,
                             near.empty() ? ": name it under hosts" : fmt::format("; did you mean \"{}\"?", near)));
  }
  void members(const std::string& place, const std::vector<std::string>& names) {
    std::set<std::string> seen;
    for (const std::string& name : names) {
      member(place, name);
      if (!seen.insert(name).second) wrong(place, fmt::format("{} is named twice", name));
    }
  }
  void members() {
    if (const auto& balancer = topology_.load_balancer) members("components.load_balancer.hosts", balancer->hosts);
    members("components.app.hosts", topology_.app.hosts);
    if (const auto& database = topology_.database) {
      member("components.database.primary", database->primary);
      members("components.database.replicas", database->replicas);
      if (is_among(database->primary, database->replicas))
        wrong("components.database.replicas", database->primary + " is the primary already");
    }
    if (const auto& cache = topology_.cache) {
      member("components.cache.primary", cache->primary);
      members("components.cache.replicas", cache->replicas);
      members("components.cache.sentinels", cache->sentinels);
      if (is_among(cache->primary, cache->replicas))
        wrong("components.cache.replicas", cache->primary + " is the primary already");
    }
    if (const auto& prometheus = topology_.prometheus) member("components.prometheus.host", prometheus->host);
    if (const auto& alertmanager = topology_.alertmanager) member("components.alertmanager.host", alertmanager->host);
    if (const auto& grafana = topology_.grafana) member("components.grafana.host", grafana->host);
  }

  void counts() {
    const std::size_t nodes = topology_.app.hosts.size();
    if (nodes == 0) wrong("components.app.hosts", "there is none");
    if (nodes > 0 && nodes % 2 == 0) {
      wrong("components.app.hosts",
            fmt::format("{} nodes survive no more than {} do: give an odd number", nodes, nodes - 1));
    }
    if (const auto& balancer = topology_.load_balancer; balancer && balancer->hosts.empty())
      wrong("components.load_balancer.hosts", "there is none");
    if (const auto& cache = topology_.cache; cache && !cache->sentinels.empty()) {
      const std::size_t sentinels = cache->sentinels.size();
      if (sentinels < 3 || sentinels % 2 == 0) {
        wrong(
            "components.cache.sentinels",
            fmt::format("{} cannot agree by majority when one is lost: give three or another odd number, on hosts that "
                        "fail independently, or none",
                        sentinels));
      }
      if (cache->replicas.empty())
        wrong("components.cache.sentinels", "there is no replica that they could make the primary");
    }
  }

  // What ends up in scripts and files as it is.
  void words() {
    const std::string& folder = topology_.app.data_dir;
    if (!is_one_word(folder) || !folder.starts_with('/'))
      wrong("components.app.data_dir", fmt::format("\"{}\" is no absolute path without blanks and signs", folder));
    // The unit of the node does not let it see them.
    for (const std::string_view hidden : {"/home", "/root", "/run/user", "/tmp", "/var/tmp"}) {
      if (folder == hidden || folder.starts_with(std::string(hidden) + "/"))
        wrong("components.app.data_dir",
              fmt::format("nothing below {} is visible to a service: choose another", hidden));
    }
    for (const auto& dependency : topology_.requirements.software.dependencies) {
      if (!is_one_word(dependency.name))
        wrong("requirements.software.dependencies", fmt::format("\"{}\" is no name of a package", dependency.name));
    }
    if (const auto& balancer = topology_.load_balancer; balancer && !balancer->interface.empty())
      if (!is_plain_name(balancer->interface))
        wrong("components.load_balancer.interface", fmt::format("\"{}\" is no interface", balancer->interface));
    if (const auto& database = topology_.database) {
      for (const auto& [what, name] :
           {std::pair("database", database->database), std::pair("username", database->username)}) {
        if (!is_plain_name(name))
          wrong(fmt::format("components.database.{}", what), fmt::format("\"{}\" cannot be one", name));
      }
      for (const std::string_view ours : {"port", "hba_file", "data_directory", "config_file"}) {
        if (database->settings.contains(std::string(ours)))
          wrong("components.database.settings", fmt::format("{} follows from the topology: leave it out", ours));
      }
      std::map<std::string, std::string> slots;
      for (const std::string& name : hosts_of(*database)) {
        const auto [other, is_new] = slots.emplace(replication_slot(name), name);
        if (!is_new)
          wrong("components.database",
                fmt::format("{} and {} would have one replication slot: rename one of the hosts", other->second, name));
      }
    }
    if (const auto& cache = topology_.cache) {
      for (const auto& [what, name] :
           {std::pair("primary_name", cache->primary_name), std::pair("max_memory", cache->max_memory)}) {
        if (!is_plain_name(name))
          wrong(fmt::format("components.cache.{}", what), fmt::format("\"{}\" cannot be one", name));
      }
    }
  }

  void virtual_address() {
    const auto& balancer = topology_.load_balancer;
    if (!balancer || balancer->virtual_address.empty()) return;
    constexpr std::string_view kPlace = "components.load_balancer.virtual_address";
    const std::string& text = balancer->virtual_address;
    if (!is_one_word(text) || std::ranges::count(text, '/') != 1)
      wrong(kPlace, fmt::format("\"{}\" is no address with the length of its network, such as 10.0.0.10/24", text));
    if (balancer->hosts.size() < 2) wrong(kPlace, "one load balancer has nobody to move it to: give two hosts");
    if (balancer->interface.empty())
      wrong("components.load_balancer", "interface is missing: the one that carries the virtual address, such as eth0");
    if (balancer->router_id < 1 || balancer->router_id > 255)
      wrong("components.load_balancer.router_id", "must be from 1 to 255");
    const std::string address = text.substr(0, text.find('/'));
    for (const Host& host : topology_.hosts) {
      if (host.address == address) wrong(kPlace, fmt::format("is the address of {}: it must be free", host.name));
    }
  }

  void ports() {
    for (const Host& host : topology_.hosts) {
      std::map<Port, std::string_view> taken;
      const std::vector<TakenPort> all = ports_of(topology_, host.name);
      for (const TakenPort& each : all) {
        const auto [other, is_new] = taken.emplace(each.port, each.whose);
        if (!is_new)
          wrong(each.place, fmt::format("on {} port {} is that of {} already", host.name, each.port, other->second));
      }
    }
  }

  const Topology& topology_;
  const Mistakes unread_;  // as it was before
  Mistakes& mistakes_;
};

}  // namespace

void check(const Topology& topology, Mistakes& mistakes) {
  Check(topology, mistakes).run();
}

}  // namespace cc::deploy
