#include "deploy/database.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "deploy/file_text.h"
#include "deploy/listening.h"
#include "deploy/rendering.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

// Debian's postgresql.conf includes its conf.d, and stands outside the data folder: pg_rewind, which copies the files
// of the other side, does not touch it.
constexpr std::string_view kValidator = "/usr/lib/postgresql/15/bin/postgres -C port -D / -c config_file={}";

struct Setting {
  std::string_view name;
  std::string value;
  std::string_view why;  // lines of a comment
};

const std::string* own_setting(const Database& database, std::string_view name) {
  const auto found =
      std::ranges::find_if(database.settings, [&](const auto& own) { return equal_ignoring_case(own.first, name); });
  return found == database.settings.end() ? nullptr : &found->second;
}

// Debian turns it on, with a certificate that it makes.
bool speaks_tls(const Database& database) {
  const std::string* ssl = own_setting(database, "ssl");
  return ssl == nullptr || !std::ranges::any_of(std::vector<std::string_view>{"off", "false", "no", "0"},
                                                [&](auto off) { return equal_ignoring_case(off, *ssl); });
}

std::string any_of(const std::vector<std::string>& replicas) {
  return fmt::format("ANY 1 (\"{}\")", fmt::join(replicas, "\", \""));
}

std::vector<Setting> settings_of(const Topology& topology, const Host& host) {
  const Database& database = *topology.database;
  std::vector<Setting> settings{
      {"listen_addresses", "*", "Who gets in is told by pg_hba.conf."},
      {"port", fmt::to_string(database.port), ""},
      {"wal_level", "replica",
       "Replication. The same on all hosts, since each may become the primary; a change of max_* is made on the\n"
       "replicas first."},
      {"max_wal_senders", "10", ""},
      {"max_replication_slots", "10", ""},
      {"hot_standby", "on", "Replicas answer questions."},
      {"wal_log_hints", "on", "An old primary can be taken back with pg_rewind."},
      {"max_slot_wal_keep_size", "8GB",
       "A replica that is away holds back the log; beyond this it must be copied anew, rather than the disk be full."},
      {"wal_keep_size", "512MB", "For a replica that follows a new primary before that has a slot for it."},
  };
  if (host.name == database.primary && !database.replicas.empty()) {
    settings.push_back({"synchronous_standby_names", any_of(database.replicas),
                        "A commit is on a replica too before it is confirmed, so that none is lost with the primary. "
                        "While no replica\n"
                        "streams commits wait, and the archive with them; nodes do not."});
  }
  if (host.name != database.primary) {
    settings.push_back({"primary_conninfo", connection_to_primary(topology, host),
                        "Whom this host follows, as long as there is a standby.signal in its data folder."});
    settings.push_back({"primary_slot_name", replication_slot(host.name), ""});
  }
  return settings;
}

std::string settings_file(const Topology& topology, const Host& host) {
  const Database& database = *topology.database;
  std::string text = written_by("Own settings go into components.database.settings of topology.yaml.") +
                     "# What stands in postgresql.auto.conf (ALTER SYSTEM) is stronger than this.\n";
  for (const Setting& setting : settings_of(topology, host)) {
    if (own_setting(database, setting.name) != nullptr) continue;
    if (!setting.why.empty()) text += "\n";
    for (const std::string_view line : split(setting.why, '\n'))
      if (!line.empty()) text += fmt::format("# {}\n", line);
    text += fmt::format("{} = {}\n", setting.name, quoted_setting(setting.value));
  }
  if (!database.settings.empty()) text += "\n# From topology.yaml.\n";
  for (const auto& [name, value] : database.settings)
    text += fmt::format("{} = {}\n", name, quoted_setting(value));
  return text;
}

struct Access {
  std::string type, database, role, address, method, comment;
};

// A single host, as pg_hba.conf has it.
std::string only(const Host& host) {
  if (!is_ip_address(host.address)) return host.address;
  return host.address + (host.address.contains(':') ? "/128" : "/32");
}

std::vector<Access> accesses(const Topology& topology) {
  const Database& database = *topology.database;
  const std::string by_network = speaks_tls(database) ? "hostssl" : "host";
  const auto add_host = [&](std::vector<Access>& to, std::string what, std::string_view role, const Host& from) {
    to.push_back({by_network, std::move(what), std::string(role), only(from), "scram-sha-256", from.name});
  };
  std::vector<Access> all{{"local", "all", "postgres", "", "peer", "who is postgres on this host"},
                          {"local", "replication", "postgres", "", "peer", "backups"}};
  if (topology.exporters)
    all.push_back({"local", "postgres", std::string(kExporterRole), "", "peer", "the exporter for Prometheus"});
  for (const std::string& name : topology.app.hosts)
    add_host(all, fmt::format("\"{}\"", database.database), fmt::format("\"{}\"", database.username),
             topology.host(name));
  if (database.replicas.empty()) return all;
  for (const std::string& name : hosts_of(database)) {
    add_host(all, "replication", kReplicationRole, topology.host(name));
    add_host(all, "postgres", kRewindRole, topology.host(name));
  }
  return all;
}

std::string access_file(const Topology& topology) {
  std::string text =
      written_by("There are no settings: it follows from the hosts of topology.yaml.") +
      "#\n"
      "# Who may connect: the nodes, and the servers of PostgreSQL to each other, whichever is the primary. "
      "Nobody else.\n\n";
  for (const Access& access : accesses(topology)) {
    text += fmt::format("{:<7} {:<17} {:<17} {:<20} {:<13}  # {}\n", access.type, access.database, access.role,
                        access.address, access.method, access.comment);
  }
  return text;
}

// Colons and backslashes of a field of the file.
std::string escaped(std::string_view field) {
  std::string text;
  for (const char c : field) {
    if (c == ':' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

std::string password_file(const Topology& topology, const Secrets& secrets) {
  const Database& database = *topology.database;
  std::string text = written_by("There are no settings.");
  for (const std::string& name : hosts_of(database)) {
    const std::string server = fmt::format("{}:{}", escaped(topology.host(name).address), database.port);
    text += fmt::format("{}:replication:{}:{}\n", server, kReplicationRole, secrets.replication);
    text += fmt::format("{}:postgres:{}:{}\n", server, kRewindRole, secrets.rewind);
  }
  return text;
}

std::string connection_as(const Topology& topology, const Host& replica, std::string_view role) {
  const Database& database = *topology.database;
  return fmt::format("host={} port={} user={} application_name={} passfile={} sslmode={} connect_timeout=5",
                     topology.host(database.primary).address, database.port, role, replica.name, kDatabasePasswords,
                     speaks_tls(database) ? "require" : "prefer");
}

}  // namespace

std::string connection_to_primary(const Topology& topology, const Host& replica) {
  return connection_as(topology, replica, kReplicationRole);
}

std::string connection_to_rewind(const Topology& topology, const Host& replica) {
  return connection_as(topology, replica, kRewindRole) + " dbname=postgres";
}

std::string quoted_setting(std::string_view value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\'' || c == '\\') text += c;
    text += c;
  }
  return text + "'";
}

std::vector<std::string> hosts_of(const Database& database) {
  std::vector<std::string> hosts{database.primary};
  hosts.insert(hosts.end(), database.replicas.begin(), database.replicas.end());
  return hosts;
}

std::string psql_function(const Database& database, std::string_view name) {
  return fmt::format(
      "cd /\npsql() {{ runuser -u postgres -- /usr/bin/psql -XAtq -p {} -d {} -v ON_ERROR_STOP=1 -c \"$1\"; }}\n",
      database.port, shell_word(name));
}

std::string replication_slot(std::string_view host_name) {
  std::string slot;
  for (const char c : host_name) {
    const char small = lower(c);
    slot += (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9') ? small : '_';
  }
  return slot;
}

RenderedFiles database_files(const Topology& topology, const Secrets& secrets, const Host& host) {
  if (!topology.database) return {};
  if (!is_among(host.name, hosts_of(*topology.database))) return {};
  RenderedFiles files{
      {.path = std::string(kDatabaseSettings),
       .content = settings_file(topology, host),
       .owner = "postgres",
       .validator = std::string(kValidator)},
      {.path = std::string(kDatabaseAccess), .content = access_file(topology), .mode = 0640, .owner = "postgres"}};
  // On the primary as well: it may be a replica next.
  if (!topology.database->replicas.empty()) {
    files.push_back({.path = std::string(kDatabasePasswords),
                     .content = password_file(topology, secrets),
                     .mode = 0600,
                     .owner = "postgres",
                     .secret = true});
  }
  return files;
}

}  // namespace cc::deploy
