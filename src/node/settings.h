// The settings of a node: YAML at CONFIG_PATH, then environment variables, then flags, the later winning.
//
// Every setting is declared once, in settings_table.cc: name, default, meaning. From that table come the YAML
// reader, CONFIG_CENTER_<SECTION>_<KEY>, the flags of `serve`, `config show`, and docs/settings.md. Inner code takes
// the small values it needs from the struct and looks nothing up.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cc::node {

struct Settings {
  struct {
    std::string host;
    std::uint16_t port;
    unsigned workers;
    std::uint64_t max_connections;
    std::chrono::milliseconds timeout, stop_timeout, drain;
    std::uint64_t max_content, max_body, min_free_disk;
    std::chrono::milliseconds header_timeout, idle_timeout;
    std::string tls_certificate_file, tls_key_file, tls_client_ca_file;
  } server;
  struct {
    std::string host, username, password, database, sslmode, root_certificate;
    std::uint16_t port;
    unsigned pool_size;
    std::chrono::milliseconds max_lifetime;
  } database;
  struct {
    std::string host, password, key_prefix, sentinels, sentinel_primary, sentinel_password;
    std::uint16_t port;
    unsigned pool_size;
  } cache;
  struct {
    std::uint64_t node_id;
    std::string address, listen, peers, secret;
    bool join;
    std::string tls_certificate_file, tls_key_file, tls_ca_file;
    std::chrono::milliseconds election_timeout, heartbeat_interval;
    unsigned snapshot_entries;
  } raft;
  struct {
    std::uint64_t releases;
    std::chrono::milliseconds audit;
  } history;
  struct {
    std::string jwt_secret, encryption_key;
    std::chrono::milliseconds jwt_expiration;
    bool anonymous_read;
    unsigned login_failures;
    std::chrono::milliseconds login_lock;
  } security;
  struct {
    std::uint64_t requests_per_user, requests_per_address;
  } limits;
  struct {
    std::uint16_t prometheus_port;
    bool enabled;
    std::string metrics_path, alert_rules;
  } monitoring;
  struct {
    std::string cron;
    bool enabled;
    std::chrono::milliseconds restored_every;  // 0: never
    unsigned max_backups;
    std::chrono::milliseconds max_age;
    std::string archive;                                                         // referenced, included
    std::string type, path, endpoint, region, addressing, credentials, ca_file;  // of its storage
    std::chrono::milliseconds timeout;
  } backup;
  struct {
    std::string cron;
    bool enabled;
    std::chrono::milliseconds keep;
  } maintenance;
  struct {
    std::string level, format;
  } log;
  std::string app_env;  // development, production
  Path data_dir, temp_dir;

  bool production() const { return app_env == "production"; }

  std::map<std::string, std::string, std::less<>> origin;  // setting → "default", the file, the variable or the flag
};

// One declared setting.
struct Setting {
  std::string_view name;  // "server.port", "backup.schedule.cron"
  std::string_view default_text;
  std::string_view meaning;                // one sentence
  bool secret = false;                     // shown as ***; may come from a file through <name>_file
  std::string_view variable = {};          // a shorter environment variable: "DATA_DIR"
  std::string_view default_in_words = {};  // where the default is not the same everywhere: "cores"
  std::function<Result<>(Settings&, std::string_view)> set;
  std::function<std::string(const Settings&)> get;

  std::string flag() const;  // "--server-port"
  // `variable` where there is one, then "CONFIG_CENTER_SERVER_PORT": the later wins.
  std::vector<std::string> environment_variables() const;
};
const std::vector<Setting>& all_settings();

struct SettingSources {
  std::string config_path;                   // "": CONFIG_PATH, or no file
  std::map<std::string, std::string> flags;  // setting name → text
  std::function<const char*(const char*)> environment = [](const char* name) -> const char* {
    return std::getenv(name);
  };
};

// invalid_argument that names the file and line, the variable or the flag, and what would be right. A raft.address that
// is not given is the one that raft.peers has for this node.
Result<Settings> load_settings(const SettingSources& sources);

// Refuses short secrets, in production missing and well-known ones, and a missing raft.secret where there are other
// nodes. Writes nothing.
Result<> check_secrets(const Settings& settings);
// Refuses what else a node with these settings would refuse when it starts: peers, addresses, files and secrets that
// are not there or of no use. Writes nothing.
Result<> check_settings(const Settings& settings);

// What only a running node needs: in development completes the secrets that are missing. With a raft.secret they are
// derived from that, and so are the same on all nodes of the group; else they are made, once, and kept, mode 0600,
// under data_dir/secrets. Refuses what check_secrets() refuses. requires: the data folder is this process's
Result<> complete_secrets(Settings& settings);

// YAML that load_settings() would read back, with secrets as *** and the origin of what is not default.
std::string show_settings(const Settings& settings);

// Every setting with default and meaning, as the Markdown tables of docs/settings.md.
std::string settings_reference();

}  // namespace cc::node
