#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/container.h"
#include "deploy/container_services.h"
#include "deploy/database.h"

namespace cc::deploy {
namespace {

using Environment = std::map<std::string, std::string>;
using Mount = Container::Volume;

constexpr std::string_view kHead = R"(
# What all services have in common: nothing of the image can be changed by what runs in it, and no right can be gained.
x-service: &service
  init: true
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  restart: unless-stopped
  logging:
    driver: json-file
    options: {max-size: 10m, max-file: "5"}
)";

std::string lower_name(std::string_view name) {
  std::string out;
  for (const char each : name) {
    const auto c = static_cast<unsigned char>(each);
    out += std::isalnum(c) != 0 || each == '-' || each == '_' ? static_cast<char>(std::tolower(c)) : '-';
  }
  out.erase(0, out.find_first_not_of("-_"));
  return out.empty() ? "config-center" : out;
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", quoted_text(text));
  return "[" + out + "]";
}

std::string limits(std::string_view indent, std::string_view cpus, std::string_view memory, unsigned processes) {
  return fmt::format("{}deploy:\n{}  resources:\n{}    limits: {{cpus: \"{}\", memory: \"{}\", pids: {}}}\n", indent,
                     indent, indent, cpus, memory, processes);
}

std::string environment_of(std::string_view indent, const Environment& values) {
  std::string out;
  for (const auto& [name, value] : values)
    out += fmt::format("{}{}: {}\n", indent, name, quoted_text(value));
  return out;
}

std::string health_of(std::string_view indent, const std::vector<std::string>& test, std::string_view interval = "5s",
                      std::string_view timeout = "3s", std::uint64_t retries = 6) {
  return fmt::format(
      "{0}healthcheck:\n{0}  test: {1}\n{0}  interval: {2}\n{0}  timeout: {3}\n{0}  retries: {4}\n"
      "{0}  start_period: 20s\n",
      indent, list_of(test), interval, timeout, retries);
}

std::string after(const std::vector<ContainerService>& services, std::string_view condition) {
  std::string out;
  for (const ContainerService& service : services)
    out += fmt::format("      {}: {{condition: {}}}\n", service.name, condition);
  return out;
}

// Only this machine may ask: the pages have no users, or those of everybody.
std::string on_this_machine(HostPorts& ports, Port host, Port container) {
  return fmt::format("    ports: [\"127.0.0.1:{}:{}\"]\n", ports.take(host), container);
}

std::string published(const std::vector<std::string>& ports) {
  return ports.empty() ? "" : fmt::format("    ports: {}\n", list_of(ports));
}

std::string mount(std::string_view type, std::string_view source, std::string_view target, bool read_only) {
  return fmt::format("      - {{type: {}, source: {}, target: {}{}}}\n", type, quoted_text(source), quoted_text(target),
                     read_only ? ", read_only: true" : "");
}

std::string configuration(std::string_view source, std::string_view target) {
  return mount("bind", fmt::format("./config/{}", source), target, true);
}

// --- nodes ---

std::string variable_of(std::string_view setting) {
  std::string out = "CONFIG_CENTER_";
  for (const char c : setting)
    out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string peers(const Topology& topology, const Services& services) {
  std::string out;
  for (std::size_t i = 0; i < services.nodes.size(); ++i)
    out += fmt::format("{}{}@{}:{}", out.empty() ? "" : ",", i + 1, services.nodes[i].name, topology.app.raft_port);
  return out;
}

void set(Environment& to, std::string_view setting, std::string value) {
  to[variable_of(setting)] = std::move(value);
}

void set_secret(Environment& to, std::string_view setting, std::string_view file) {
  set(to, fmt::format("{}_file", setting), fmt::format("/run/secrets/{}", file));
}

// What the topology says is set last, and wins.
Environment environment_of_nodes(const Topology& topology, const Services& services) {
  const App& app = topology.app;
  Environment out{{"APP_ENV", "production"}, {"DATA_DIR", app.data_dir}, {"TEMP_DIR", "/tmp"}};
  set(out, "server.host", "0.0.0.0");
  set(out, "server.port", std::to_string(app.port));
  set(out, "server", fmt::format("http://127.0.0.1:{}", app.port));  // whom the commands in the container ask
  set(out, "monitoring.prometheus_port", std::to_string(app.metrics_port));
  set_secret(out, "security.jwt_secret", "jwt_secret");
  set_secret(out, "security.encryption_key", "encryption_key");
  if (services.nodes.size() > 1) {
    set(out, "raft.peers", peers(topology, services));
    set(out, "raft.listen", fmt::format("0.0.0.0:{}", app.raft_port));
    set_secret(out, "raft.secret", "raft_secret");
  }
  if (topology.database) {
    set(out, "database.host", joined(services.databases, ","));
    set(out, "database.username", topology.database->username);
    set(out, "database.database", topology.database->database);
    set_secret(out, "database.password", "database_password");
  }
  if (topology.cache) {
    if (services.sentinels.empty()) {
      set(out, "cache.host", services.caches.front().name);
    } else {
      set(out, "cache.sentinels", joined(services.sentinels, ",", ":26379"));
      set(out, "cache.sentinel_primary", topology.cache->primary_name);
      set_secret(out, "cache.sentinel_password", "cache_password");
    }
    set_secret(out, "cache.password", "cache_password");
  }
  for (const auto& [setting, value] : app.settings)
    set(out, setting, value);
  for (const auto& [name, value] : topology.container.environment)
    out[name] = value;
  return out;
}

std::string node_template(const Topology& topology, const Services& services) {
  const auto& health = topology.container.health_check;
  std::vector<std::string> secrets;
  for (const std::string& each : secrets_of(topology))
    if (each != "replication_password" && each != "grafana_admin_password") secrets.push_back(each);
  std::string out = "\nx-node: &node\n  <<: *service\n  image: \"${CONFIG_CENTER_IMAGE:?}\"\n  user: \"10001:10001\"\n";
  out += "  tmpfs: [/tmp]\n  stop_grace_period: 30s\n";
  out += fmt::format("  secrets: [{}]\n", fmt::join(secrets, ", "));
  out += health_of("  ", health_test(topology.container), format_duration(health.interval),
                   format_duration(health.timeout), health.retries);
  // Nodes serve without PostgreSQL and Redis, so they do not wait until those are well.
  if (topology.database || topology.cache) {
    out += "  depends_on:\n";
    for (const std::vector<ContainerService>* each : {&services.databases, &services.caches, &services.sentinels})
      for (const ContainerService& service : *each)
        out += fmt::format("    {}: {{condition: service_started}}\n", service.name);
  }
  out += limits("  ", "${NODE_CPUS:?}", "${NODE_MEMORY:?}", 512);
  out += "\nx-node-environment: &node-environment\n";
  out += environment_of("  ", environment_of_nodes(topology, services));
  return out;
}

// What a node publishes itself: what no load balancer does in its place.
std::vector<std::string> ports_of_node(const Topology& topology, HostPorts& ports) {
  std::vector<std::string> out;
  for (const auto& port : topology.container.ports) {
    if (topology.load_balancer && port.container_port == topology.app.port) continue;
    const Port host = ports.take(port.host_port, port.protocol);
    out.push_back(fmt::format("{}:{}/{}", host, port.container_port, port.protocol));
  }
  return out;
}

// Volumes of the host are mounted into all nodes; the data folder is a folder for each of them.
std::string mounts_of_node(const Topology& topology, const ContainerService& node, bool alone, bool& own_data) {
  std::string out;
  for (const Mount& volume : topology.container.volumes) {
    const bool data = volume.container_path == topology.app.data_dir;
    own_data = own_data || data;
    const std::string source = data && !alone ? fmt::format("{}/{}", volume.host_path, node.name) : volume.host_path;
    out += mount("bind", source, volume.container_path, volume.read_only);
  }
  if (!own_data) out = mount("volume", node.name, topology.app.data_dir, false) + out;
  return out;
}

// --- the file, service by service ---

class Composer {
 public:
  explicit Composer(const Topology& topology) : topology_(topology), services_(services_of(topology)) {}

  std::string text() {
    std::string services;
    // The ports that people use are taken first: what is published beside them gives way.
    services += load_balancers();
    services += nodes();
    services += databases();
    services += caches();
    services += sentinels();
    services += monitoring();
    std::string out =
        "# Made by: config-center container compose\n"
        "# Fill in .env, make the files of the secrets as it says, and: docker compose up -d --wait\n";
    out += fmt::format("name: {}\n", lower_name(topology_.name));
    out += kHead;
    out += node_template(topology_, services_);
    out += "\nservices:" + services;
    if (!volumes_.empty()) out += "\nvolumes:\n";
    for (const std::string& name : volumes_)
      out += fmt::format("  {}: {{}}\n", name);
    out += "\nsecrets:\n";
    for (const std::string& name : secrets_of(topology_))
      out += fmt::format("  {0}: {{file: \"${{SECRETS_DIR:?}}/{0}\"}}\n", name);
    return out;
  }

 private:
  static std::string begin(std::string_view name, std::string_view image, std::string_view user) {
    return fmt::format("\n  {0}:\n    <<: *service\n    image: \"{1}\"\n    user: \"{2}\"\n    hostname: {0}\n", name,
                       image, user);
  }
  // A volume that is called as the service.
  std::string own_volume(const std::string& name, std::string_view target) {
    volumes_.push_back(name);
    return mount("volume", name, target, false);
  }

  std::string load_balancers() {
    std::string out;
    for (const ContainerService& each : services_.load_balancers) {
      out += begin(each.name, "haproxy:${HAPROXY_VERSION:?}", "99:99");
      std::vector<std::string> ports;
      for (const auto& port : topology_.container.ports) {
        if (port.container_port != topology_.app.port) continue;
        ports.push_back(
            fmt::format("{}:{}/{}", ports_.take(port.host_port, port.protocol), port.container_port, port.protocol));
      }
      ports.push_back(fmt::format("127.0.0.1:{}:8404", ports_.take(topology_.load_balancer->stats_port)));
      out += published(ports);
      out += "    volumes:\n" + configuration("haproxy", "/usr/local/etc/haproxy");
      // SIGUSR1, which is the image's own choice, lets running requests end.
      out += "    stop_grace_period: 95s\n    depends_on:\n" + after(services_.nodes, "service_started");
      // The image has no HTTP client: that the port answers is what bash can find out.
      out += health_of("    ", {"CMD", "bash", "-c", fmt::format("exec 3<>/dev/tcp/127.0.0.1/{}", topology_.app.port)});
      out += limits("    ", "1", "256m", 64);
    }
    return out;
  }

  std::string nodes() {
    std::string out;
    const bool alone = services_.nodes.size() == 1;
    for (std::size_t i = 0; i < services_.nodes.size(); ++i) {
      const ContainerService& node = services_.nodes[i];
      out += fmt::format("\n  {0}:\n    <<: *node\n    hostname: {0}\n    environment:\n      <<: *node-environment\n",
                         node.name);
      Environment own;
      if (!alone) set(own, "raft.node_id", std::to_string(i + 1));
      if (const auto found = topology_.app.host_settings.find(node.host); found != topology_.app.host_settings.end())
        for (const auto& [setting, value] : found->second)
          set(own, setting, value);
      out += environment_of("      ", own);
      out += published(ports_of_node(topology_, ports_));
      bool own_data = false;
      out += "    volumes:\n" + mounts_of_node(topology_, node, alone, own_data);
      if (!own_data) volumes_.push_back(node.name);
    }
    return out;
  }

  std::string databases() {
    std::string out;
    const auto& all = services_.databases;
    if (all.empty()) return out;
    const Database& database = *topology_.database;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool replica = i > 0;
      // PGDATA is below the volume, so that a copy of the primary can be moved there when it is whole.
      out += begin(all[i].name, "postgres:${POSTGRESQL_VERSION:?}", "999:999");
      Environment environment{{"PGDATA", "/var/lib/postgresql/data/pgdata"},
                              {"POSTGRES_INITDB_ARGS", "--data-checksums"},
                              {"POSTGRES_PASSWORD_FILE", "/run/secrets/database_password"}};
      if (replica) environment.insert({{"PRIMARY", all[0].name}, {"REPLICA", replication_slot(all[i].host)}});
      out += "    environment:\n" + environment_of("      ", environment);
      if (replica) out += "    entrypoint: [bash, /config/replica.sh]\n";
      out += "    command: [postgres, -c, config_file=/config/postgresql.conf]\n";
      out += "    tmpfs: [/tmp, \"/run/postgresql:uid=999,gid=999,mode=0755\"]\n    shm_size: 256m\n";
      out += fmt::format("    secrets: [database_password{}]\n", all.size() > 1 ? ", replication_password" : "");
      out += "    volumes:\n" + own_volume(all[i].name, "/var/lib/postgresql/data");
      out += configuration("postgresql", "/config");
      if (!replica) out += configuration("postgresql/first.sql", "/docker-entrypoint-initdb.d/first.sql");
      // Over TCP: while it is being set up it listens on the socket only. As somebody whom it knows, or it would log
      // that.
      out += health_of("    ",
                       {"CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", database.username, "-d", database.database},
                       "5s", "3s", 20);
      if (replica) out += "    depends_on:\n" + after({all[0]}, "service_healthy");
      out += "    stop_signal: SIGINT\n    stop_grace_period: 60s\n";
      out += limits("    ", "${DATABASE_CPUS:?}", "${DATABASE_MEMORY:?}", 512);
    }
    return out;
  }

  // Redis or Sentinel, which are one image. Who is not the primary begins when its name is known.
  std::string redis(const ContainerService& service, std::string_view start, std::string_view port,
                    std::string_view memory) {
    const ContainerService& primary = services_.caches.front();
    std::string out = begin(service.name, "redis:${REDIS_VERSION:?}", "999:999");
    out += fmt::format("    entrypoint: [sh, /config/{}]\n", start);
    if (service.name != primary.name) out += environment_head({{"PRIMARY", primary.name}});
    out += "    secrets: [cache_password]\n    volumes:\n";
    out += own_volume(service.name, "/data") + configuration("redis", "/config");
    out += health_of("    ", {"CMD-SHELL", fmt::format("REDISCLI_AUTH=\"$(cat /run/secrets/cache_password)\" redis-cli "
                                                       "-p {} ping | grep -q PONG",
                                                       port)});
    if (service.name != primary.name) out += "    depends_on:\n" + after({primary}, "service_healthy");
    return out + limits("    ", "1", memory, 64);
  }

  std::string caches() {
    std::string out;
    for (const ContainerService& each : services_.caches)
      out += redis(each, "redis.sh", "6379", "${CACHE_MEMORY:?}");
    return out;
  }

  std::string sentinels() {
    std::string out;
    for (const ContainerService& each : services_.sentinels)
      out += redis(each, "sentinel.sh", "26379", "128m");
    return out;
  }

  static std::string environment_head(const Environment& values) {
    return "    environment:\n" + environment_of("      ", values);
  }

  std::string monitoring() {
    std::string out;
    const auto asks = [](Port port, std::string_view path) {
      return health_of("    ",
                       {"CMD", "wget", "-q", "-O", "/dev/null", fmt::format("http://127.0.0.1:{}{}", port, path)});
    };
    if (const auto& prometheus = topology_.prometheus) {
      out += begin("prometheus", "prom/prometheus:${PROMETHEUS_VERSION:?}", "65534:65534");
      out += fmt::format(
          "    command:\n      - --config.file=/etc/prometheus/prometheus.yml\n      - "
          "--storage.tsdb.path=/prometheus\n"
          "      - {}\n",
          quoted_text("--storage.tsdb.retention.time=" + topology_.monitoring.retention));
      out += on_this_machine(ports_, prometheus->port, 9090);
      out +=
          "    volumes:\n" + own_volume("prometheus", "/prometheus") + configuration("prometheus", "/etc/prometheus");
      out += asks(9090, "/-/ready");
      if (topology_.alertmanager) out += "    depends_on:\n      alertmanager: {condition: service_started}\n";
      out += limits("    ", "1", "${PROMETHEUS_MEMORY:?}", 128);
    }
    if (const auto& alertmanager = topology_.alertmanager) {
      out += begin("alertmanager", "prom/alertmanager:${ALERTMANAGER_VERSION:?}", "65534:65534");
      out +=
          "    command:\n      - --config.file=/etc/alertmanager/alertmanager.yml\n      - "
          "--storage.path=/alertmanager\n"
          "      - --cluster.listen-address=\n";
      out += on_this_machine(ports_, alertmanager->port, 9093);
      out += "    volumes:\n" + own_volume("alertmanager", "/alertmanager") +
             configuration("alertmanager", "/etc/alertmanager");
      out += asks(9093, "/-/ready") + limits("    ", "1", "256m", 128);
    }
    if (const auto& grafana = topology_.grafana) {
      out += begin("grafana", "grafana/grafana:${GRAFANA_VERSION:?}", "472:0");
      // It is not to ask the internet for anything.
      out += environment_head({{"GF_SECURITY_ADMIN_PASSWORD__FILE", "/run/secrets/grafana_admin_password"},
                               {"GF_PATHS_PROVISIONING", "/config"},
                               {"GF_ANALYTICS_REPORTING_ENABLED", "false"},
                               {"GF_ANALYTICS_CHECK_FOR_UPDATES", "false"},
                               {"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false"},
                               {"GF_PLUGINS_PREINSTALL_DISABLED", "true"}});
      out += "    secrets: [grafana_admin_password]\n    tmpfs: [/tmp]\n";
      out += on_this_machine(ports_, grafana->port, 3000);
      out += "    volumes:\n" + own_volume("grafana", "/var/lib/grafana") + configuration("grafana", "/config");
      out += asks(3000, "/api/health");
      if (topology_.prometheus) out += "    depends_on:\n      prometheus: {condition: service_started}\n";
      out += limits("    ", "1", "512m", 128);
    }
    return out;
  }

  const Topology& topology_;
  Services services_;
  HostPorts ports_;
  std::vector<std::string> volumes_;
};

}  // namespace

std::string compose_file(const Topology& topology) {
  return Composer(topology).text();
}

}  // namespace cc::deploy
