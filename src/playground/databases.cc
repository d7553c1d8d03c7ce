#include <csignal>

#include <fmt/format.h>

#include "deploy/database.h"
#include "playground/part.h"

namespace cc::playground {
namespace {

// Made beside, so that what was broken off is made anew.
constexpr std::string_view kPrimary = R"(set -eu
if [ ! -d data ]; then
  rm -rf new
  "$INITDB" -D new -U postgres -E UTF8 --locale=C.UTF-8 --no-sync --data-checksums --auth-host=scram-sha-256 >/dev/null
  # Nobody listens yet, and no replica could confirm a commit.
  "$POSTGRES" --single -D new -c config_file="$PWD/postgresql.conf" -c synchronous_standby_names= postgres <roles.sql >/dev/null
  mv new data
fi
exec "$POSTGRES" -D data -c config_file="$PWD/postgresql.conf" -c hba_file="$PWD/pg_hba.conf"
)";
constexpr std::string_view kReplica = R"(set -eu
if [ ! -d data ]; then
  rm -rf new
  "$BASEBACKUP" -d "$PRIMARY" -D new -X stream -S "$SLOT" -c fast --no-sync
  touch new/standby.signal
  mv new data
fi
exec "$POSTGRES" -D data -c config_file="$PWD/postgresql.conf" -c hba_file="$PWD/pg_hba.conf"
)";

constexpr std::string_view kAccess =
    "# By the network of this machine alone, each with a password.\n"
    "host all         all 127.0.0.1/32 scram-sha-256\n"
    "host replication all 127.0.0.1/32 scram-sha-256\n";

// Of a connection's description: a value in quotes.
std::string in_quotes(std::string_view text) {
  std::string all = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') all += '\\';
    all += c;
  }
  return all + "'";
}

std::string connection_to_primary(const Site& site, const std::string& name) {
  return fmt::format("host=127.0.0.1 port={} user={} application_name={} passfile={}", site.port("postgres1"),
                     deploy::kReplicationRole, name, in_quotes((site.folder / name / "pgpass").string()));
}

std::string settings(const Site& site, unsigned number) {
  const std::string name = numbered("postgres", number);
  std::string text = fmt::format(
      "listen_addresses = '127.0.0.1'\n"
      "port = {}\n"
      "unix_socket_directories = ''     # whose paths may not be long\n"
      "dynamic_shared_memory_type = mmap # in the data folder: nothing is left of who is killed\n"
      "shared_buffers = 32MB\n"
      "fsync = off                       # what a killed process has written is there all the same\n"
      "wal_level = replica\n"
      "max_wal_size = 256MB\n"
      "wal_keep_size = 256MB             # a slot that nobody has used yet holds nothing back\n"
      "max_slot_wal_keep_size = 1GB\n"
      "hot_standby = on\n"
      "wal_log_hints = on\n"
      "wal_receiver_status_interval = 1s\n"
      "wal_retrieve_retry_interval = 500ms\n"
      "log_line_prefix = '%m [%p] %q%a '\n"
      "timezone = UTC\n",
      site.port(name));
  if (number == 1) {
    text +=
        "# As in an installation: a commit is on a replica too before it is confirmed.\n"
        "synchronous_standby_names = 'ANY 1 (postgres2, postgres3)'\n";
  } else {
    text += fmt::format("primary_conninfo = {}\nprimary_slot_name = {}\n",
                        deploy::quoted_setting(connection_to_primary(site, name)), name);
  }
  return text;
}

// One statement on each line, as a server without clients reads them.
std::string roles(const Site& site) {
  std::string text = fmt::format(
      "CREATE ROLE {0} LOGIN PASSWORD '{1}';\n"
      "CREATE ROLE {2} LOGIN REPLICATION PASSWORD '{3}';\n"
      "CREATE ROLE {4} LOGIN PASSWORD '{1}';\n"
      "GRANT pg_monitor TO {4};\n"
      "CREATE DATABASE {5} OWNER {0};\n",
      kDatabaseRole, site.secrets.database, deploy::kReplicationRole, site.secrets.replication, deploy::kExporterRole,
      kDatabase);
  for (unsigned number = 2; number <= kDatabases; ++number)
    text += fmt::format("SELECT pg_create_physical_replication_slot('{}');\n", numbered("postgres", number));
  return text;
}

}  // namespace

Part databases(const Site& site) {
  Part part;
  for (unsigned number = 1; number <= kDatabases; ++number) {
    const std::string name = numbered("postgres", number);
    const Path folder = site.folder / name;
    const auto add = [&](const char* file, std::string content) {
      part.files.push_back({.path = folder / file, .content = std::move(content), .owner = site.database_user});
    };
    add("postgresql.conf", settings(site, number));
    add("pg_hba.conf", std::string(kAccess));
    if (number == 1) {
      add("roles.sql", roles(site));
    } else {
      add("pgpass", fmt::format("*:*:*:*:{}\n", site.secrets.replication));
    }
    Component server{.name = name,
                     .arguments = {"/bin/sh", "-c", std::string(number == 1 ? kPrimary : kReplica)},
                     .environment = {{"INITDB", site.programs.path("initdb")},
                                     {"POSTGRES", site.programs.path("postgres")},
                                     {"BASEBACKUP", site.programs.path("pg_basebackup")},
                                     {"HOME", folder.string()},
                                     {"LC_ALL", "C.UTF-8"}},
                     .folder = folder,
                     .port = site.port(name),
                     .readiness = SaysReady{folder / "data/postmaster.pid"},
                     .user = site.database_user,
                     .stop_signal = SIGINT};  // without waiting for its clients to leave
    if (number > 1) {
      server.needs = {"postgres1"};
      server.environment["PRIMARY"] = connection_to_primary(site, name);
      server.environment["SLOT"] = name;
    }
    part.components.push_back(std::move(server));
  }
  return part;
}

}  // namespace cc::playground
