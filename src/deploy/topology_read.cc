// topology.yaml, section by section; what must hold between them: topology_check.cc.
#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "deploy/fields.h"
#include "deploy/topology.h"
#include "deploy/topology_check.h"
#include "deploy/topology_monitoring.h"
#include "model/format.h"

namespace cc::deploy {
namespace {

void read_ssh(Fields& fields, Ssh& ssh) {
  fields.read("user", ssh.user);
  fields.read("port", ssh.port);
  fields.read("key", ssh.key);
  fields.read("jump", ssh.jump);
}

void read_hosts(Fields& root, Topology& topology) {
  Ssh common;
  bool sudo = true;
  root.section("ssh", [&](Fields& fields) {
    read_ssh(fields, common);
    fields.read("sudo", sudo);
  });
  root.require("hosts", "hosts: {app1: {address: 10.0.0.21}}");
  root.each("hosts", [&](const std::string& name, Fields& fields) {
    Host host{.name = name, .address = {}, .sudo = sudo, .ssh = common};
    fields.read("address", host.address);
    fields.read("local", host.local);
    fields.read("sudo", host.sudo);
    fields.section("ssh", [&](Fields& ssh) { read_ssh(ssh, host.ssh); });
    if (host.local && host.address.empty()) host.address = "127.0.0.1";
    topology.hosts.push_back(std::move(host));
  });
}

// A component that is named is there, with its defaults.
template <class Component>
void read_component(Fields& components, std::string_view name, std::optional<Component>& into,
                    const std::function<void(Fields&, Component&)>& read_it) {
  components.section(name, [&](Fields& fields) { read_it(fields, into.emplace()); });
}

void read_load_balancer(Fields& fields, LoadBalancer& balancer) {
  fields.require("hosts", "[lb1, lb2]");
  fields.read("hosts", balancer.hosts);
  fields.read("port", balancer.port);
  fields.read("stats_port", balancer.stats_port);
  fields.read("virtual_address", balancer.virtual_address);
  fields.read("interface", balancer.interface);
  fields.read("router_id", balancer.router_id);
}

void read_app(Fields& fields, App& app) {
  fields.require("hosts", "[app1, app2, app3]");
  fields.read("hosts", app.hosts);
  fields.read("port", app.port);
  fields.read("raft_port", app.raft_port);
  fields.read("metrics_port", app.metrics_port);
  fields.read("data_dir", app.data_dir);
  fields.read("settings", app.settings);
  fields.section("host_settings", [&](Fields& by_host) {
    for (const std::string& host : app.hosts) {
      std::map<std::string, std::string> settings;
      by_host.read(host, settings);
      if (!settings.empty()) app.host_settings.emplace(host, std::move(settings));
    }
  });
}

void read_database(Fields& fields, Database& database) {
  fields.require("primary", "db1");
  fields.read("primary", database.primary);
  fields.read("replicas", database.replicas);
  fields.read("port", database.port);
  fields.read("database", database.database);
  fields.read("username", database.username);
  fields.read("settings", database.settings);
}

void read_cache(Fields& fields, Cache& cache) {
  fields.require("primary", "cache1");
  fields.read("primary", cache.primary);
  fields.read("replicas", cache.replicas);
  fields.read("sentinels", cache.sentinels);
  fields.read("port", cache.port);
  fields.read("sentinel_port", cache.sentinel_port);
  fields.read("primary_name", cache.primary_name);
  fields.read("max_memory", cache.max_memory);
}

void read_components(Fields& components, Topology& topology) {
  read_component<LoadBalancer>(components, "load_balancer", topology.load_balancer, read_load_balancer);
  components.require("app", "app: {hosts: [app1]}");
  components.section("app", [&](Fields& fields) { read_app(fields, topology.app); });
  read_component<Database>(components, "database", topology.database, read_database);
  read_component<Cache>(components, "cache", topology.cache, read_cache);
  read_component<Prometheus>(components, "prometheus", topology.prometheus, [](Fields& fields, Prometheus& prometheus) {
    fields.require("host", "monitor1");
    fields.read("host", prometheus.host);
    fields.read("port", prometheus.port);
  });
  read_component<Alertmanager>(components, "alertmanager", topology.alertmanager,
                               [](Fields& fields, Alertmanager& alertmanager) {
                                 fields.require("host", "monitor1");
                                 fields.read("host", alertmanager.host);
                                 fields.read("port", alertmanager.port);
                               });
  read_component<Grafana>(components, "grafana", topology.grafana, [](Fields& fields, Grafana& grafana) {
    fields.require("host", "monitor1");
    fields.read("host", grafana.host);
    fields.read("port", grafana.port);
    fields.read("package", grafana.package);
    fields.read("repository", grafana.repository);
  });
  read_component<Exporters>(components, "exporters", topology.exporters, [](Fields& fields, Exporters& exporters) {
    fields.read("node_port", exporters.node_port);
    fields.read("postgres_port", exporters.postgres_port);
    fields.read("redis_port", exporters.redis_port);
  });
}

Result<Requirements::Dependency::Type> parse_type(std::string_view text) {
  using Type = Requirements::Dependency::Type;
  if (text == "database") return Type::database;
  if (text == "cache") return Type::cache;
  if (text == "message_queue") return Type::message_queue;
  if (text == "monitoring") return Type::monitoring;
  return fail(
      Code::invalid_argument,
      fmt::format("\"{}\" is no type of a dependency: give database, cache, message_queue or monitoring", text));
}

void read_requirements(Fields& fields, Requirements& requirements) {
  fields.section("hardware", [&](Fields& hardware) {
    auto& [cpu, memory, disk, network] = requirements.hardware;
    hardware.section("cpu", [&](Fields& at) {
      at.read("cores", cpu.cores);
      at.read("threads", cpu.threads);
      at.read("frequency", cpu.frequency);
    });
    hardware.section("memory", [&](Fields& at) {
      at.read("total", memory.total);
      at.read("swap", memory.swap);
    });
    hardware.section("disk", [&](Fields& at) {
      at.read("total", disk.total);
      at.read("iops", disk.iops);
      at.read("bandwidth", disk.bandwidth);
    });
    hardware.section("network", [&](Fields& at) {
      at.read("bandwidth", network.bandwidth);
      at.read("latency", network.latency);
    });
  });
  fields.section("software", [&](Fields& software) {
    auto& [os, runtime, dependencies] = requirements.software;
    software.section("os", [&](Fields& at) {
      at.read("name", os.name);
      at.read("architecture", os.architecture);
      at.parse<VersionRange>("version", os.version, VersionRange::parse);
    });
    software.section("runtime", [&](Fields& at) {
      at.parse<VersionRange>("libc", runtime.libc, VersionRange::parse);
      at.parse<VersionRange>("libstdc++", runtime.libstdcxx, VersionRange::parse);
      at.parse<VersionRange>("kernel", runtime.kernel, VersionRange::parse);
    });
    software.list("dependencies", [&](Fields& at) {
      Requirements::Dependency dependency;
      at.require("name", "postgresql");
      at.read("name", dependency.name);
      at.parse<VersionRange>("version", dependency.version, VersionRange::parse);
      at.parse<Requirements::Dependency::Type>("type", dependency.type, parse_type);
      dependencies.push_back(std::move(dependency));
    });
  });
}

void read_container(Fields& fields, Container& container) {
  fields.read("base_image", container.base_image);
  if (fields.has("ports")) container.ports.clear();
  fields.list("ports", [&](Fields& at) {
    auto& port = container.ports.emplace_back();
    at.require("container_port", "8848");
    at.read("container_port", port.container_port);
    port.host_port = port.container_port;
    at.read("host_port", port.host_port);
    at.read("protocol", port.protocol);
    if (port.protocol != "tcp" && port.protocol != "udp") at.wrong("protocol", "give tcp or udp");
  });
  fields.list("volumes", [&](Fields& at) {
    auto& volume = container.volumes.emplace_back();
    at.require("host_path", "./data");
    at.require("container_path", "/data");
    at.read("host_path", volume.host_path);
    at.read("container_path", volume.container_path);
    at.read("read_only", volume.read_only);
  });
  fields.read("environment", container.environment);
  fields.section("health_check", [&](Fields& at) {
    at.read("command", container.health_check.command);
    at.read("interval", container.health_check.interval);
    at.read("timeout", container.health_check.timeout);
    at.read("retries", container.health_check.retries);
  });
}

// All of it are settings of the nodes, and stand there in the files that these read.
void read_backup(Fields& fields, App& app) {
  const auto read_section = [&](std::string_view section, std::initializer_list<std::string_view> names) {
    fields.section(section, [&](Fields& at) {
      for (const std::string_view name : names) {
        if (!at.has(name)) continue;
        std::string value;
        at.read(name, value);
        if (!app.settings.emplace(fmt::format("backup.{}.{}", section, name), value).second)
          at.wrong(name, "it stands in components.app.settings, too: give it once");
      }
    });
  };
  if (fields.has("archive")) {
    std::string value;
    fields.read("archive", value);
    if (value != "referenced" && value != "included") fields.wrong("archive", "give referenced or included");
    if (!app.settings.emplace("backup.archive", value).second)
      fields.wrong("archive", "it stands in components.app.settings, too: give it once");
  }
  read_section("schedule", {"cron", "enabled"});
  read_section("retention", {"max_backups", "max_age"});
  read_section("storage", {"type", "path", "credentials", "credentials_file"});
}

void read_all(Fields& root, Topology& topology) {
  root.require("name", "name: shop");
  root.read("name", topology.name);
  read_hosts(root, topology);
  root.require("components", "components: {app: {hosts: [app1]}}");
  root.section("components", [&](Fields& components) { read_components(components, topology); });
  root.read("packages", topology.packages);
  root.section("requirements", [&](Fields& fields) { read_requirements(fields, topology.requirements); });
  root.section("monitoring", [&](Fields& fields) { read_monitoring(fields, topology.monitoring); });
  root.section("security", [&](Fields& fields) { fields.read("secrets_dir", topology.security.secrets_dir); });
  root.section("backup", [&](Fields& fields) { read_backup(fields, topology.app); });
  root.section("container", [&](Fields& fields) { read_container(fields, topology.container); });
}

}  // namespace

const Host* Topology::find_host(std::string_view host_name) const {
  for (const Host& host : hosts) {
    if (host.name == host_name) return &host;
  }
  return nullptr;
}

const Host& Topology::host(std::string_view host_name) const {
  return *find_host(host_name);
}

bool is_among(std::string_view host, const std::vector<std::string>& hosts) {
  return std::ranges::find(hosts, host) != hosts.end();
}

Result<Topology> read_topology(std::string_view text, std::string_view file) {
  // yaml-cpp alone goes on for ever with some of what this refuses.
  if (const auto checked = check_format(Format::yaml, text); !checked)
    return fail(Code::invalid_argument, fmt::format("{} {}", file, checked.error().message));
  Topology topology;
  Mistakes mistakes{std::string(file)};
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsMap()) {
      return fail(Code::invalid_argument,
                  fmt::format("{} line 1: a topology holds sections, such as \"hosts:\"; begin with: config-center "
                              "topology init",
                              file));
    }
    Fields fields(mistakes, root, "");
    read_all(fields, topology);
  } catch (const YAML::Exception& e) {
    return fail(Code::invalid_argument, fmt::format("{} line {}: {}", file, e.mark.line + 1, e.msg));
  }
  check(topology, mistakes);
  TRYV(mistakes.verdict());
  return topology;
}

}  // namespace cc::deploy
