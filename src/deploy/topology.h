// What an installation is: its hosts, what runs where, and with which settings. Plain values, as topology.yaml says
// them; every setting that the file leaves out has its default here.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "deploy/version_range.h"
#include "monitor/dashboard.h"

namespace cc::deploy {

using Port = std::uint16_t;

// How a host is reached. What is empty is as the operator's own ssh configuration has it.
struct Ssh {
  std::string user;
  Port port = 0;
  std::string key;   // a file
  std::string jump;  // user@host:port, or the name of a host of the topology
};

struct Host {
  std::string name;
  std::string address;  // at which the other hosts reach it
  bool local = false;   // this machine: no SSH
  bool sudo = true;     // commands that need root go through sudo; without, the user is root
  Ssh ssh;
};

// --- components ---

// HAProxy on each host; with a virtual address, keepalived moves that between them.
struct LoadBalancer {
  std::vector<std::string> hosts;  // names; of those that begin together the first takes the virtual address
  Port port = 80, stats_port = 8404;
  std::string virtual_address;   // "10.0.0.10/24"; empty: none
  std::string interface;         // that carries it
  std::uint64_t router_id = 51;  // VRRP's, 1 … 255: unlike any other in the network
};

// The nodes of config-center.
struct App {
  std::vector<std::string> hosts;
  Port port = 8848, raft_port = 7848, metrics_port = 8849;
  std::string data_dir = "/var/lib/config-center";
  // Settings of the nodes ("server.timeout"), of all of them, and by host of some, which win.
  std::map<std::string, std::string> settings;
  std::map<std::string, std::map<std::string, std::string>> host_settings;

  // Not of topology.yaml: numbers.h fills them. Without, the nodes are numbered in the order of the hosts.
  std::map<std::string, std::uint64_t> numbers;   // raft.node_id, by host
  std::vector<std::string> joined;                // hosts that came when there was a group already
  std::map<std::uint64_t, std::string> founders;  // host:port, also of those that have left
  std::map<std::string, std::uint64_t> left;      // by the hosts that they were on
};

// PostgreSQL: the archive.
struct Database {
  std::string primary;
  std::vector<std::string> replicas;
  Port port = 5432;
  std::string database = "config_center", username = "config_center";
  std::map<std::string, std::string> settings;  // of postgresql.conf, beside what we set
};

// Redis: the edge copy.
struct Cache {
  std::string primary;
  std::vector<std::string> replicas;
  std::vector<std::string> sentinels;  // hosts: none, or an odd number from three on
  Port port = 6379, sentinel_port = 26379;
  std::string primary_name = "config-center";  // for Sentinel
  std::string max_memory = "512mb";
};

struct Prometheus {
  std::string host;
  Port port = 9090;
};

struct Alertmanager {
  std::string host;
  Port port = 9093;
};

// In no Debian release: installed from a package file, or from a repository of packages.
struct Grafana {
  std::string host;
  Port port = 3000;
  std::string package;     // a .deb on the operator's side
  std::string repository;  // a line for APT's sources
};

// One of each on every host that has what it tells of.
struct Exporters {
  Port node_port = 9100, postgres_port = 9187, redis_port = 9121;
};

// --- sections ---

// 0 and empty: not required.
struct Requirements {
  struct {
    struct {
      std::uint64_t cores = 0, threads = 0;
      double frequency = 0;  // GHz
    } cpu;
    struct {
      double total = 0, swap = 0;  // GB
    } memory;
    struct {
      double total = 0;  // GB
      std::uint64_t iops = 0;
      double bandwidth = 0;  // MB/s
    } disk;
    struct {
      double bandwidth = 0;  // Mbps
      double latency = 0;    // ms, at most
    } network;
  } hardware;

  struct Dependency {
    enum class Type { database, cache, message_queue, monitoring };
    std::string name;
    VersionRange version;
    Type type = Type::database;
  };
  struct {
    struct {
      std::string name, architecture;
      VersionRange version;
    } os;
    struct {
      VersionRange libc, libstdcxx, kernel;
    } runtime;
    std::vector<Dependency> dependencies;
  } software;
};

// How Prometheus asks, and what there is of rules, people and dashboards beside what comes with the product.
struct Monitoring {
  std::string scrape_interval = "15s", retention = "15d";  // Prometheus's own
  // What else is asked for metrics.
  struct Target {
    std::string job, path;             // "/metrics" when it is empty
    std::vector<std::string> targets;  // host:port
    std::map<std::string, std::string> labels;
  };
  std::vector<Target> targets;

  struct Rule {
    std::string name, expr, duration;
    std::map<std::string, std::string> labels, annotations;
  };
  std::vector<Rule> rules;

  // Who is told, and how: Alertmanager's own settings of that type.
  struct Receiver {
    enum class Type { email, slack, webhook, pagerduty };
    std::string name;
    Type type = Type::email;
    std::map<std::string, std::string> config;
  };
  std::vector<Receiver> receivers;  // none: where alerts go is the operator's file

  // Who is told of what. The first that matches, and of its children the first that does.
  struct Route {
    std::string receiver;
    std::vector<std::string> group_by, matchers;  // matchers as Alertmanager has them: severity="critical"
    std::string group_wait, group_interval, repeat_interval;
    std::vector<Route> routes;
  };
  std::vector<Route> routes;

  std::vector<monitor::Dashboard> dashboards;
};

struct Security {
  // On the operator's side, mode 0700: what was generated once (passwords, the secrets of the nodes). Relative to the
  // topology's folder.
  std::string secrets_dir = "secrets";
};

// For the Dockerfile and the compose file.
struct Container {
  struct PublishedPort {
    Port container_port = 0, host_port = 0;
    std::string protocol = "tcp";
  };
  struct Volume {
    std::string host_path, container_path;
    bool read_only = false;
  };
  struct HealthCheck {
    std::string command = "/app/config-center health --ready";
    std::chrono::milliseconds interval{5'000}, timeout{3'000};
    std::uint64_t retries = 3;
  };
  std::string base_image = "debian:bookworm-slim";
  std::vector<PublishedPort> ports{{.container_port = 8848, .host_port = 8848}};
  std::vector<Volume> volumes;
  std::map<std::string, std::string> environment;
  HealthCheck health_check;
};

// --- all of it ---

struct Topology {
  std::string name;  // of the installation
  std::vector<Host> hosts;

  std::optional<LoadBalancer> load_balancer;
  App app;
  std::optional<Database> database;
  std::optional<Cache> cache;
  std::optional<Prometheus> prometheus;
  std::optional<Alertmanager> alertmanager;
  std::optional<Grafana> grafana;
  std::optional<Exporters> exporters;

  // A folder on the operator's side with .deb files, of which all packages come; empty: from where the hosts' own APT
  // has them.
  std::string packages;

  Requirements requirements;
  Monitoring monitoring;
  Security security;
  Container container;

  const Host* find_host(std::string_view host_name) const;
  const Host& host(std::string_view host_name) const;  // one that check() has let through
};

bool is_among(std::string_view host, const std::vector<std::string>& hosts);

// topology.yaml. invalid_argument that names every mistake with its line, one on each line of the message: what is no
// YAML, unknown keys (with the one that was meant), values that are not what they must be, hosts that do not exist,
// clashes of ports and folders, counts that cannot be. `file` is for the messages.
Result<Topology> read_topology(std::string_view text, std::string_view file);

}  // namespace cc::deploy
