// What else than its files must be known of PostgreSQL by who installs it: with Debian's packages, in Debian's places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/secrets.h"
#include "deploy/step.h"
#include "deploy/topology.h"

namespace cc::deploy {

inline constexpr std::string_view kDatabaseUnit = "postgresql@15-main.service";
inline constexpr std::string_view kDatabaseData = "/var/lib/postgresql/15/main";
inline constexpr std::string_view kStandbySignal = "/var/lib/postgresql/15/main/standby.signal";  // there: a replica
inline constexpr std::string_view kDatabaseSettings = "/etc/postgresql/15/main/conf.d/config-center.conf";
inline constexpr std::string_view kDatabaseAccess = "/etc/postgresql/15/main/pg_hba.conf";
inline constexpr std::string_view kDatabasePasswords = "/var/lib/postgresql/config-center.pgpass";

// The roles of PostgreSQL's own work; that of the nodes is Database::username. They must be made with
// synchronous_commit = local: a replica that could confirm it is not there yet.
inline constexpr std::string_view kReplicationRole = "replicator";  // LOGIN REPLICATION
inline constexpr std::string_view kRewindRole = "rewind";           // LOGIN, and EXECUTE on what pg_rewind calls
inline constexpr std::string_view kExporterRole = "prometheus";     // LOGIN, of pg_monitor; comes in by the socket

// A value as postgresql.conf has it, in quotes.
std::string quoted_setting(std::string_view value);

std::vector<std::string> hosts_of(const Database& database);  // the primary first

// The slot on the primary that keeps the log for the host, until it has it.
std::string replication_slot(std::string_view host_name);

// How a replica reaches the primary, for libpq.
std::string connection_to_primary(const Topology& topology, const Host& replica);

// The same for pg_rewind.
std::string connection_to_rewind(const Topology& topology, const Host& replica);

// A line of scripts, after which `psql "SELECT 1"` asks a database on the host as PostgreSQL's own user.
std::string psql_function(const Database& database, std::string_view name = "postgres");

// The roles, the database, and a slot for each replica, on the primary once it runs.
Step roles_step(const Topology& topology, const Secrets& secrets);
// The data of a replica, copied from the primary; those of an old primary are taken back to where the two part. Refuses
// to replace data that are somebody else's.
Step copy_step(const Topology& topology, const Host& replica);

}  // namespace cc::deploy
