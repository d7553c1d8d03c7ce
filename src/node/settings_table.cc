#include <algorithm>
#include <cctype>
#include <limits>
#include <thread>

#include <fmt/format.h>

#include "archive/archive.h"
#include "backup/cron.h"
#include "base/log.h"
#include "base/text.h"
#include "node/peers.h"
#include "node/settings.h"

namespace cc::node {
namespace {

using std::chrono::milliseconds;

// How each type of value is read from text and written back.
Result<> read_value(std::string& out, std::string_view text) {
  out = text;
  return {};
}
Result<> read_value(Path& out, std::string_view text) {
  out = Path(text);
  return {};
}
Result<> read_value(bool& out, std::string_view text) {
  if (text != "true" && text != "false")
    return fail(Code::invalid_argument, fmt::format("\"{}\" is neither true nor false", text));
  out = text == "true";
  return {};
}
Result<> read_value(milliseconds& out, std::string_view text) {
  TRY(out, parse_duration(text));
  return {};
}
template <std::unsigned_integral T>
Result<> read_value(T& out, std::string_view text) {
  TRY(const std::uint64_t value, parse_uint(text, "the value"));
  if (value > std::numeric_limits<T>::max()) {
    return fail(Code::invalid_argument,
                fmt::format("{} is too large, the most is {}", value, std::numeric_limits<T>::max()));
  }
  out = static_cast<T>(value);
  return {};
}

std::string write_value(const std::string& value) {
  return value;
}
std::string write_value(const Path& value) {
  return value.string();
}
std::string write_value(bool value) {
  return value ? "true" : "false";
}
std::string write_value(milliseconds value) {
  return format_duration(value);
}
template <std::unsigned_integral T>
std::string write_value(T value) {
  return std::to_string(value);
}

// A size in bytes, written with its unit where it is whole.
Result<> read_bytes(std::uint64_t& out, std::string_view text) {
  TRY(out, parse_size(text));
  return {};
}
std::string write_bytes(std::uint64_t value) {
  for (const auto& [unit, size] :
       {std::pair("GiB", 1u << 30), std::pair("MiB", 1u << 20), std::pair("KiB", 1u << 10)}) {
    if (value >= size && value % size == 0) return fmt::format("{}{}", value / size, unit);
  }
  return std::to_string(value);
}

template <class Access>
Setting plain(std::string_view name, std::string_view default_text, std::string_view meaning, Access access) {
  return {.name = name,
          .default_text = default_text,
          .meaning = meaning,
          .set = [access](Settings& s, std::string_view text) { return read_value(access(s), text); },
          .get = [access](const Settings& s) { return write_value(access(const_cast<Settings&>(s))); }};
}

template <class Access>
Setting size(std::string_view name, std::string_view default_text, std::string_view meaning, Access access) {
  return {.name = name,
          .default_text = default_text,
          .meaning = meaning,
          .set = [access](Settings& s, std::string_view text) { return read_bytes(access(s), text); },
          .get = [access](const Settings& s) { return write_bytes(access(const_cast<Settings&>(s))); }};
}

template <class Access>
Setting secret(std::string_view name, std::string_view meaning, Access access) {
  Setting setting = plain(name, "", meaning, access);
  setting.secret = true;
  return setting;
}

Setting in_variable(Setting setting, std::string_view variable) {
  setting.variable = variable;
  return setting;
}

Setting shown_as(Setting setting, std::string_view default_in_words) {
  setting.default_in_words = default_in_words;
  return setting;
}

// Also refuses what `check` refuses.
Setting checked(Setting setting, std::function<Result<>(std::string_view)> check) {
  setting.set = [set = std::move(setting.set), check = std::move(check)](Settings& s,
                                                                         std::string_view text) -> Result<> {
    TRYV(check(text));
    return set(s, text);
  };
  return setting;
}

// A variable that is not set where it is used, or a name without a value, must not mean something else in silence.
Setting not_empty(Setting setting, std::string_view advice) {
  return checked(std::move(setting), [advice](std::string_view text) -> Result<> {
    if (!trim(text).empty()) return {};
    return fail(Code::invalid_argument, fmt::format("is empty; {}", advice));
  });
}

// A list of them, which may be empty.
Result<> check_addresses(std::string_view text) {
  if (trim(text).empty()) return {};
  for (const std::string_view each : split(text, ','))
    TRYV(check_address(trim(each)));
  return {};
}

// Refuses values outside [least, most] in words.
template <class Access, class T>
Setting bounded(std::string_view name, std::string_view default_text, std::string_view meaning, Access access, T least,
                T most) {
  Setting setting = plain(name, default_text, meaning, access);
  setting.set = [access, least, most](Settings& s, std::string_view text) -> Result<> {
    TRYV(read_value(access(s), text));
    if (access(s) < least || access(s) > most) {
      return fail(Code::invalid_argument,
                  fmt::format("{} is out of range: {} to {}", text, write_value(least), write_value(most)));
    }
    return {};
  };
  return setting;
}

template <class Access>
Setting one_of(std::string_view name, std::string_view default_text, std::string_view meaning, Access access,
               std::vector<std::string_view> choices) {
  Setting setting = plain(name, default_text, meaning, access);
  setting.set = [access, choices = std::move(choices)](Settings& s, std::string_view text) -> Result<> {
    if (std::ranges::find(choices, text) == choices.end()) {
      return fail(Code::invalid_argument, fmt::format("\"{}\" is none of: {}", text, fmt::join(choices, ", ")));
    }
    access(s) = text;
    return {};
  };
  return setting;
}

#define AT(member) ([](Settings& s) -> auto& { return s.member; })

std::vector<Setting> make_table() {
  using namespace std::chrono_literals;
  static const std::string cores = std::to_string(std::max(1u, std::thread::hardware_concurrency()));
  constexpr std::uint16_t kAnyPort = 0, kLastPort = 65535;
  return {
      in_variable(one_of("app_env", "development",
                         "development makes its own secrets; production refuses to start without given ones",
                         AT(app_env), {"development", "production"}),
                  "APP_ENV"),
      in_variable(
          not_empty(plain("data_dir", "config-center-data", "folder of the log, the state, the secrets", AT(data_dir)),
                    "name a folder, or leave it out"),
          "DATA_DIR"),
      in_variable(
          plain("temp_dir", "",
                "folder for temporary files, as large as the state while a backup is made; empty: tmp under data_dir",
                AT(temp_dir)),
          "TEMP_DIR"),
      in_variable(one_of("log.level", "info", "what is logged; SIGHUP reads it again", AT(log.level),
                         {"trace", "debug", "info", "warn", "error", "off"}),
                  "LOG_LEVEL"),
      one_of("log.format", "automatic", "text, json, or automatic: text on a terminal", AT(log.format),
             {"automatic", "text", "json"}),

      not_empty(plain("server.host", "127.0.0.1", "address to listen on; 0.0.0.0 for all", AT(server.host)),
                "write 0.0.0.0 to listen on all addresses, or leave it out"),
      bounded("server.port", "8848", "port of the HTTP API; 0 takes a free one", AT(server.port), kAnyPort, kLastPort),
      shown_as(bounded("server.workers", cores, "I/O threads; default one per core", AT(server.workers), 1u, 256u),
               "cores"),
      bounded("server.max_connections", "100000",
              "more are answered 503, with TLS closed without a word; at most the limit of open files less 256 for the "
              "log and the state",
              AT(server.max_connections), std::uint64_t{1}, std::uint64_t{10'000'000}),
      bounded("server.timeout", "30s", "how long a request may take, waiting by intent not counted", AT(server.timeout),
              milliseconds(100ms), milliseconds(10min)),
      bounded("server.stop_timeout", "10s", "how long running requests may take when the node stops",
              AT(server.stop_timeout), milliseconds(0ms), milliseconds(10min)),
      bounded("server.drain", "2s",
              "how long a node that stops still serves after /readyz says no, so that a load balancer looks elsewhere "
              "first; not given, a group of one does not wait",
              AT(server.drain), milliseconds(0ms), milliseconds(10min)),
      size("server.max_content", "1MiB", "largest content of one config", AT(server.max_content)),
      size("server.max_body", "8MiB",
           "largest request body (imports); an export, and an import unpacked, hold eight times as much",
           AT(server.max_body)),
      size("server.min_free_disk", "64MiB", "writes are refused when less than this is free under data_dir",
           AT(server.min_free_disk)),
      bounded("server.header_timeout", "10s", "time to send a request's header", AT(server.header_timeout),
              milliseconds(100ms), milliseconds(10min)),
      bounded("server.idle_timeout", "5m", "idle connections are closed after this", AT(server.idle_timeout),
              milliseconds(1s), milliseconds(24h)),
      plain("server.tls.certificate_file", "", "PEM certificate chain; with key_file the API speaks HTTPS",
            AT(server.tls_certificate_file)),
      plain("server.tls.key_file", "", "PEM private key", AT(server.tls_key_file)),
      plain("server.tls.client_ca_file", "", "PEM; clients must show a certificate signed by it",
            AT(server.tls_client_ca_file)),

      checked(
          plain("database.host", "",
                "PostgreSQL hosts, a primary and its replicas, comma-separated, each with or without a port; empty: "
                "no archive",
                AT(database.host)),
          archive::check_hosts),
      bounded("database.port", "5432", "port of those that have none", AT(database.port), kAnyPort, kLastPort),
      plain("database.username", "", "user of PostgreSQL", AT(database.username)),
      secret("database.password", "password of that user", AT(database.password)),
      plain("database.database", "", "name of the database", AT(database.database)),
      one_of("database.sslmode", "prefer", "whether to speak TLS, and what is verified, as libpq has it",
             AT(database.sslmode), {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}),
      plain("database.root_certificate", "", "PEM; with verify-ca and verify-full, who signs the servers' certificates",
            AT(database.root_certificate)),
      bounded("database.pool_size", "8", "connections of this node in all, to all hosts together",
              AT(database.pool_size), 1u, 1000u),
      bounded("database.max_lifetime", "30m", "a connection is not used any more when it is older",
              AT(database.max_lifetime), milliseconds(1s), milliseconds(24h * 365)),

      bounded("history.releases", "100000",
              "releases of each config that a node keeps itself, the newest; with an archive never less than what that "
              "does not have yet. The leader's setting holds for all nodes, also the next",
              AT(history.releases), std::uint64_t{1}, std::uint64_t{1'000'000'000}),
      bounded("history.audit", "3650d",
              "how long a node keeps audit records itself, at most the newest million of changes and 100,000 of "
              "attempts; likewise",
              AT(history.audit), milliseconds(1s), milliseconds(24h * 36500)),

      plain("cache.host", "",
            "host of the Redis primary, unless cache.sentinels find it; without both there is no edge copy",
            AT(cache.host)),
      bounded("cache.port", "6379", "port of Redis", AT(cache.port), kAnyPort, kLastPort),
      secret("cache.password", "password of Redis; empty: none", AT(cache.password)),
      bounded(
          "cache.pool_size", "8",
          "connections at most; a node opens three: to write, on the node that leads, to look, and to count together",
          AT(cache.pool_size), 3u, 1000u),
      not_empty(plain("cache.key_prefix",
                      "config-center:", "start of every key, and of the channel; each group of nodes needs its own",
                      AT(cache.key_prefix)),
                "give a prefix of this group's own, or leave it out"),
      checked(plain("cache.sentinels", "", "host:port of the Sentinels that know the primary, comma-separated",
                    AT(cache.sentinels)),
              check_addresses),
      plain("cache.sentinel_primary", "mymaster", "the name that the Sentinels know the primary by",
            AT(cache.sentinel_primary)),
      secret("cache.sentinel_password", "password of the Sentinels; empty: none", AT(cache.sentinel_password)),

      bounded("raft.node_id", "1", "number of this node in its group", AT(raft.node_id), std::uint64_t{1}, kLastNodeId),
      checked(plain("raft.address", "127.0.0.1:7848",
                    "host:port where the other nodes reach this one; not given, it is what raft.peers has for this "
                    "node",
                    AT(raft.address)),
              check_address),
      checked(
          plain("raft.listen", "", "host:port to listen on for the other nodes; empty: raft.address", AT(raft.listen)),
          check_addresses),
      plain("raft.peers", "",
            "node_id@host:port of every node of a new group, comma-separated, the same on all of them; empty: a group "
            "of one",
            AT(raft.peers)),
      plain("raft.join", "false", "a new node waits until a running group adds it, and makes none", AT(raft.join)),
      secret("raft.secret",
             "the nodes of a group prove with it that they belong together; the same on all of them, at least 32 bytes",
             AT(raft.secret)),
      plain("raft.tls.certificate_file", "",
            "PEM certificate chain; with key_file and ca_file the nodes speak TLS with each other",
            AT(raft.tls_certificate_file)),
      plain("raft.tls.key_file", "", "PEM private key", AT(raft.tls_key_file)),
      plain("raft.tls.ca_file", "", "PEM; the other nodes must show a certificate signed by it", AT(raft.tls_ca_file)),
      bounded("raft.election_timeout", "1s", "a leader not heard of for this long is replaced",
              AT(raft.election_timeout), milliseconds(50ms), milliseconds(1min)),
      bounded("raft.heartbeat_interval", "100ms", "how often a leader is heard of", AT(raft.heartbeat_interval),
              milliseconds(10ms), milliseconds(10s)),
      bounded("raft.snapshot_entries", "0",
              "entries after which the log is compacted into a snapshot at the latest; 0: by its size alone",
              AT(raft.snapshot_entries), 0u, 10'000'000u),

      secret("security.jwt_secret", "signs tokens; at least 32 bytes", AT(security.jwt_secret)),
      bounded("security.jwt_expiration", "24h", "how long a login holds", AT(security.jwt_expiration), milliseconds(1s),
              milliseconds(24h * 365)),
      secret("security.encryption_key", "seals secrets and backups; at least 32 bytes", AT(security.encryption_key)),
      plain("security.anonymous_read", "false", "reading and watching without a token", AT(security.anonymous_read)),
      bounded("security.login_failures", "5", "wrong passwords for a user before it is locked",
              AT(security.login_failures), 1u, 1000u),
      bounded("security.login_lock", "10m", "how long it is locked, and the time in which failures count",
              AT(security.login_lock), milliseconds(1s), milliseconds(24h)),

      bounded("limits.requests_per_user", "0",
              "requests a second that a user or an access key may make on average, and twice as many at once; 0: "
              "unlimited",
              AT(limits.requests_per_user), std::uint64_t{0}, std::uint64_t{1'000'000}),
      bounded("limits.requests_per_address", "0",
              "the same of one address; behind a load balancer that is the load balancer's. 0: unlimited",
              AT(limits.requests_per_address), std::uint64_t{0}, std::uint64_t{1'000'000}),

      plain("monitoring.enabled", "true", "whether metrics are served", AT(monitoring.enabled)),
      bounded("monitoring.prometheus_port", "8849", "port of the metrics; 0 takes a free one",
              AT(monitoring.prometheus_port), kAnyPort, kLastPort),
      plain("monitoring.metrics_path", "/metrics", "path of the metrics", AT(monitoring.metrics_path)),
      plain("monitoring.alert_rules", "",
            "file of alert rules that this node looks at itself, and webhooks that it tells: docs/monitoring.md",
            AT(monitoring.alert_rules)),

      checked(plain("backup.schedule.cron", "0 3 * * *", "when backups are made", AT(backup.cron)), backup::check_cron),
      plain("backup.schedule.enabled", "false", "whether they are", AT(backup.enabled)),
      one_of("backup.archive", "referenced",
             "the history in the archive, where there is one: referenced, a backup says where it is and how far; "
             "included, it is part of the backup, by pg_dump (Debian's postgresql-client)",
             AT(backup.archive), {"referenced", "included"}),
      plain(
          "backup.verify.restored_every", "0s",
          "how often one is restored, on the leader, into a scratch node that must start and answer: 7d for weekly. It "
          "needs room for the state three times in temp_dir, and in memory for it once more; 0s: never",
          AT(backup.restored_every)),
      bounded("backup.retention.max_backups", "7", "how many are kept", AT(backup.max_backups), 1u, 100'000u),
      plain("backup.retention.max_age", "30d", "how long they are kept", AT(backup.max_age)),
      one_of("backup.storage.type", "local",
             "where they are kept: a folder, or an object store (s3 is any that speaks as Amazon's does)",
             AT(backup.type), {"local", "s3", "azure", "gcs"}),
      plain("backup.storage.path", "",
            "a folder, and empty backups under data_dir; or a bucket, with /prefix or without (of Azure a container)",
            AT(backup.path)),
      plain("backup.storage.endpoint", "",
            "http:// or https:// and the host of the object store; empty: its provider's", AT(backup.endpoint)),
      plain("backup.storage.region", "us-east-1", "region of the bucket, of s3", AT(backup.region)),
      one_of(
          "backup.storage.addressing", "automatic",
          "of s3, whether the bucket stands in the path or before the host; automatic: in the path where there is an "
          "endpoint",
          AT(backup.addressing), {"automatic", "path", "virtual"}),
      secret(
          "backup.storage.credentials",
          "of s3 and gcs KEY_ID SECRET, of azure the connection string, of gcs also the JSON key of a service account; "
          "empty: what the provider's own programs find in the environment",
          AT(backup.credentials)),
      plain("backup.storage.ca_file", "",
            "PEM; who signs the certificate of the endpoint; empty: whom the system trusts", AT(backup.ca_file)),
      bounded("backup.storage.timeout", "30s", "what the object store does not get on with for so long is tried again",
              AT(backup.timeout), milliseconds(1s), milliseconds(10min)),

      checked(plain("maintenance.schedule.cron", "0 4 * * sun", "when a node puts its own folder in order",
                    AT(maintenance.cron)),
              backup::check_cron),
      plain("maintenance.schedule.enabled", "true", "whether it does", AT(maintenance.enabled)),
      bounded("maintenance.keep", "30d", "how long it keeps data that a restore has set aside", AT(maintenance.keep),
              milliseconds(1h), milliseconds(24h * 3650)),
  };
}

}  // namespace

std::vector<std::string> Setting::environment_variables() const {
  std::vector<std::string> all;
  if (!variable.empty()) all.emplace_back(variable);
  std::string& by_name = all.emplace_back("CONFIG_CENTER_");
  for (const char c : name)
    by_name.push_back(c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  return all;
}

std::string Setting::flag() const {
  std::string out = "--";
  for (const char c : name)
    out.push_back(c == '.' || c == '_' ? '-' : c);
  return out;
}

const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> table = make_table();
  return table;
}

}  // namespace cc::node
