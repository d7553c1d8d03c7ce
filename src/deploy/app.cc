#include "deploy/app.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/host_port.h"
#include "base/text.h"
#include "deploy/database.h"
#include "deploy/file_text.h"
#include "deploy/monitoring.h"
#include "deploy/rendering.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

using NodeSettings = std::map<std::string, std::string>;

constexpr std::string_view kSecretsFolder = "/etc/config-center/secrets/";
// Read when the cluster is made, by whichever node leads then: they all have it.
constexpr std::string_view kAdministratorFile = "/etc/config-center/secrets/administrator.env";
constexpr std::string_view kDefaultDataFolder = "/var/lib/config-center";

// Those of docs/settings.md that are secret: each goes into a file of its own, which the settings name.
constexpr std::array<std::string_view, 7> kSecretSettings = {
    "backup.storage.credentials", "cache.password",     "cache.sentinel_password", "database.password", "raft.secret",
    "security.encryption_key",    "security.jwt_secret"};
// Several values, which read best one below the other.
constexpr std::array<std::string_view, 3> kLists = {"cache.sentinels", "database.host", "raft.peers"};

bool is_secret(std::string_view setting) {
  return std::ranges::find(kSecretSettings, setting) != kSecretSettings.end();
}

// --- which settings a node has ---

std::uint64_t node_id(const App& app, const Host& host) {
  if (const auto given = app.numbers.find(host.name); given != app.numbers.end()) return given->second;
  return static_cast<std::uint64_t>(std::ranges::find(app.hosts, host.name) - app.hosts.begin()) + 1;
}

// As raft.peers of the nodes has it: who founded the group, whoever left it since.
std::string peers_of(const Topology& topology) {
  if (topology.app.founders.empty()) return members_of(topology);
  std::string all;
  for (const auto& [number, address] : topology.app.founders)
    all += fmt::format("{}{}@{}", all.empty() ? "" : ",", number, address);
  return all;
}

void add_database(NodeSettings& settings, const Topology& topology, const Secrets& secrets) {
  const Database& database = *topology.database;
  // In the topology's order: whichever of them is the primary, nodes find it, and need no other settings for it.
  std::vector<std::string> hosts;
  for (const Host& host : topology.hosts)
    if (is_among(host.name, hosts_of(database))) hosts.push_back(host.name);
  settings["database.host"] = hosts_and_ports(topology, hosts, database.port);
  settings["database.username"] = database.username;
  settings["database.database"] = database.database;
  settings["database.password"] = secrets.database;
}

void add_cache(NodeSettings& settings, const Topology& topology, const Secrets& secrets) {
  const Cache& cache = *topology.cache;
  settings["cache.password"] = secrets.cache;
  if (cache.sentinels.empty()) {
    settings["cache.host"] = topology.host(cache.primary).address;
    settings["cache.port"] = std::to_string(cache.port);
  } else {
    settings["cache.sentinels"] = hosts_and_ports(topology, cache.sentinels, cache.sentinel_port);
    settings["cache.sentinel_primary"] = cache.primary_name;
    settings["cache.sentinel_password"] = secrets.cache;
  }
}

NodeSettings derived_settings(const Topology& topology, const Secrets& secrets, const Host& host) {
  NodeSettings settings{
      {"app_env", "production"},
      {"data_dir", topology.app.data_dir},
      // The load balancers and Prometheus come from other hosts.
      {"server.host", host.address.contains(':') ? "::" : "0.0.0.0"},
      {"server.port", std::to_string(topology.app.port)},
      {"monitoring.prometheus_port", std::to_string(topology.app.metrics_port)},
      {"raft.secret", secrets.raft},
      {"security.jwt_secret", secrets.jwt},
      {"security.encryption_key", secrets.encryption},
  };
  if (topology.database) add_database(settings, topology, secrets);
  if (topology.cache) add_cache(settings, topology, secrets);
  return settings;
}

// A secret may be given by its value or by a file that the operator keeps; not by both.
void give(NodeSettings& settings, const std::string& name, const std::string& value) {
  settings.erase(name + "_file");
  if (name.ends_with("_file")) settings.erase(name.substr(0, name.size() - std::string_view("_file").size()));
  settings[name] = value;
}

// All of them, secrets by their value.
NodeSettings settings_of(const Topology& topology, const Secrets& secrets, const Host& host) {
  const App& app = topology.app;
  NodeSettings settings = derived_settings(topology, secrets, host);
  for (const auto& [name, value] : app.settings)
    give(settings, name, value);
  if (const auto own = app.host_settings.find(host.name); own != app.host_settings.end()) {
    for (const auto& [name, value] : own->second)
      give(settings, name, value);
  }
  // Who is who follows from the topology alone: all nodes must agree on it.
  settings["raft.node_id"] = std::to_string(node_id(app, host));
  settings["raft.address"] = host_and_port(host.address, app.raft_port);
  if (is_among(host.name, app.joined)) {
    settings["raft.join"] = "true";
  } else {
    settings["raft.peers"] = peers_of(topology);
  }
  return settings;
}

// --- as files ---

// Text that is a name, a number, an address stands for itself, anything else in quotes.
std::string yaml_scalar(std::string_view text) {
  const auto is_letter = [](char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9'); };
  const bool plain =
      !text.empty() && (is_letter(text.front()) || text.front() == '/') && text.back() != ':' &&
      !equal_ignoring_case(text, "null") &&
      std::ranges::all_of(text, [&](char c) { return is_letter(c) || std::string_view("._/@:+-").contains(c); });
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (byte < ' ' || byte == 0x7f) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string yaml_member(std::string_view indent, std::string_view name, std::string_view setting,
                        std::string_view value) {
  std::string text = fmt::format("{}{}:", indent, yaml_scalar(name));
  if (std::ranges::find(kLists, setting) == kLists.end()) return text + fmt::format(" {}\n", yaml_scalar(value));
  text += '\n';
  for (const std::string_view member : split(value, ','))
    text += fmt::format("{}  - {}\n", indent, yaml_scalar(trim(member)));
  return text;
}

// Those of no section first, then section by section.
std::string settings_text(const NodeSettings& settings) {
  std::string text = written_by(
      "Own settings go into components.app.settings of topology.yaml, those of one host into host_settings.\n"
      "# What there is: config-center config reference. What is in force: config-center config show " +
      std::string(kAppSettings));
  for (const auto& [name, value] : settings) {
    if (!name.contains('.')) text += yaml_member("", name, name, value);
  }
  std::string_view section;
  for (const auto& [name, value] : settings) {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos) continue;
    const std::string_view its = std::string_view(name).substr(0, dot);
    if (its != section) text += fmt::format("\n{}:\n", its);
    section = its;
    text += yaml_member("  ", std::string_view(name).substr(dot + 1), name, value);
  }
  return text;
}

// What a stop may take by the settings, and as much again as a slow disk may need.
std::chrono::seconds patience_at_stop(const NodeSettings& settings) {
  std::chrono::milliseconds longest = std::chrono::seconds(60);
  for (const char* name : {"server.drain", "server.stop_timeout"}) {
    const auto given = settings.find(name);
    if (given == settings.end()) continue;
    if (const auto duration = parse_duration(given->second)) longest += *duration;
  }
  return std::max(std::chrono::ceil<std::chrono::seconds>(longest), std::chrono::seconds(90));
}

// Made by a first command, for which it may still be missing ("-"): also that one is confined to it, although it is
// root's.
std::string folder_beside(const std::string& folder) {
  return fmt::format(
      "ExecStartPre=+/usr/bin/install -d -m 0700 -o {user} -g {user} {folder}\nReadWritePaths=-{folder}\n",
      fmt::arg("user", kAppUser), fmt::arg("folder", folder));
}

// systemd makes the default one.
std::string data_folders(const NodeSettings& settings) {
  const std::string& data = settings.at("data_dir");
  std::string out =
      data == kDefaultDataFolder ? "StateDirectory=config-center\nStateDirectoryMode=0700\n" : folder_beside(data);
  const auto type = settings.find("backup.storage.type");
  const auto path = settings.find("backup.storage.path");
  const bool in_folder = type == settings.end() || type->second == "local";
  if (in_folder && path != settings.end() && path->second.starts_with('/') && !path->second.starts_with(data + "/"))
    out += folder_beside(path->second);
  return out;
}

std::string capabilities(const App& app) {
  const bool privileged_port = std::min({app.port, app.raft_port, app.metrics_port}) < 1024;
  return privileged_port ? "# For a port below 1024.\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"
                           "AmbientCapabilities=CAP_NET_BIND_SERVICE\n"
                         : "CapabilityBoundingSet=\nAmbientCapabilities=\n";
}

std::string unit(const Topology& topology, const NodeSettings& settings) {
  const std::string& folder = settings.at("data_dir");
  return written_by("Own settings: systemctl edit config-center") +
         fmt::format(
             R"([Unit]
Description=Node of the configuration center {name}
Wants=network-online.target
After=network-online.target
RequiresMountsFor={folder}
# It is started again for as long as it takes: what it lacks (a disk, a name, a network) may come back at night.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User={user}
Group={user}
EnvironmentFile=-{administrator}
ExecStart={binary} serve --config {settings_file}
# The log level and the TLS files, read again.
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=3s
# The first start of a group lasts until all its nodes are there: start the others.
TimeoutStartSec=infinity
# Leadership handed over, server.drain, running requests.
TimeoutStopSec={stop}s
{data_folder}UMask=0077

# Each client that waits for a change holds one.
LimitNOFILE=524288
# Memory holds secrets.
LimitCORE=0
TasksMax=4096
OOMScoreAdjust=-200

NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
# Not ProcSubset=pid: the metrics tell since when the process runs, from /proc/uptime.
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# For SCHED_BATCH, which is an eighth more publishes.
SystemCallFilter=sched_setscheduler
SystemCallErrorNumber=EPERM
{capabilities}
[Install]
WantedBy=multi-user.target
)",
             fmt::arg("name", topology.name), fmt::arg("folder", folder), fmt::arg("user", kAppUser),
             fmt::arg("binary", kBinary), fmt::arg("administrator", kAdministratorFile),
             fmt::arg("settings_file", kAppSettings), fmt::arg("stop", patience_at_stop(settings).count()),
             fmt::arg("data_folder", data_folders(settings)), fmt::arg("capabilities", capabilities(topology.app)));
}

}  // namespace

std::string as_node() {
  return fmt::format("cd /\nas_node() {{ local binary=$1; shift; runuser -u {} -- \"$binary\" \"$@\" --config {}; }}\n",
                     kAppUser, kAppSettings);
}

std::string leads(const App& app) {
  return std::string(kHttpGet) + fmt::format(
                                     "http_get 127.0.0.1 {} {} | grep -q '^config_center_raft_role"
                                     "{{role=\"leader\"}} 1'\n",
                                     app.metrics_port, metrics_path(app));
}

std::string members_of(const Topology& topology) {
  std::string all;
  for (const std::string& name : topology.app.hosts) {
    const Host& host = topology.host(name);
    all += fmt::format("{}{}@{}", all.empty() ? "" : ",", node_id(topology.app, host),
                       host_and_port(host.address, topology.app.raft_port));
  }
  return all;
}

bool backs_up_archive(const App& app, std::string_view host) {
  if (!is_among(host, app.hosts)) return false;
  constexpr std::string_view kSetting = "backup.archive";
  const auto value_in = [&](const NodeSettings& settings) -> std::string_view {
    const auto found = settings.find(std::string(kSetting));
    return found == settings.end() ? std::string_view() : std::string_view(found->second);
  };
  const auto own = app.host_settings.find(std::string(host));
  const std::string_view of_host = own == app.host_settings.end() ? "" : value_in(own->second);
  return (of_host.empty() ? value_in(app.settings) : of_host) == "included";
}

RenderedFiles app_files(const Topology& topology, const Secrets& secrets, const Host& host) {
  if (!is_among(host.name, topology.app.hosts)) return {};
  RenderedFiles files;
  NodeSettings named;  // with the files of secrets instead of these
  for (const auto& [name, value] : settings_of(topology, secrets, host)) {
    if (!is_secret(name)) {
      named[name] = value;
      continue;
    }
    const std::string path = fmt::format("{}{}", kSecretsFolder, name);
    files.push_back(
        {.path = path, .content = value + "\n", .mode = 0600, .owner = std::string(kAppUser), .secret = true});
    named[name + "_file"] = path;
  }
  files.push_back({.path = std::string(kAdministratorFile),
                   .content = fmt::format("CONFIG_CENTER_ADMIN_PASSWORD={}\n", secrets.admin),
                   .mode = 0600,
                   .owner = std::string(kAppUser),
                   .secret = true});
  // After the secrets, which its check reads.
  files.push_back({.path = std::string(kAppSettings),
                   .content = settings_text(named),
                   .mode = 0640,
                   .owner = std::string(kAppUser),
                   .validator = fmt::format("{} config check {{}}", kBinary)});
  files.push_back({.path = "/etc/systemd/system/config-center.service", .content = unit(topology, named)});
  return files;
}

}  // namespace cc::deploy
