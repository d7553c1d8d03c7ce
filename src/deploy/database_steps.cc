#include <fmt/format.h>

#include "base/bytes.h"
#include "deploy/database.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

// That the roles and slots are made, and which.
std::string made_file() {
  return std::string(kKept) + "/database";
}

std::string identifier(std::string_view name) {
  return fmt::format("\"{}\"", name);
}

// Secrets are letters and digits.
std::string make_role(std::string_view role, std::string_view options) {
  return fmt::format(
      "DO $$ BEGIN CREATE ROLE {0}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;\nALTER ROLE {0} {1};\n",
      identifier(role), options);
}

std::string statements(const Topology& topology, const Secrets& secrets) {
  const Database& database = *topology.database;
  std::string sql = make_role(database.username, fmt::format("LOGIN PASSWORD '{}'", secrets.database));
  if (topology.exporters)
    sql += make_role(kExporterRole, "LOGIN") + fmt::format("GRANT pg_monitor TO {};\n", kExporterRole);
  if (!database.replicas.empty()) {
    sql += make_role(kReplicationRole, fmt::format("LOGIN REPLICATION PASSWORD '{}'", secrets.replication));
    sql += make_role(kRewindRole, fmt::format("LOGIN PASSWORD '{}'", secrets.rewind));
    for (const char* function : {"pg_ls_dir(text, boolean, boolean)", "pg_stat_file(text, boolean)",
                                 "pg_read_binary_file(text)", "pg_read_binary_file(text, bigint, bigint, boolean)"})
      sql += fmt::format("GRANT EXECUTE ON FUNCTION {} TO {};\n", function, kRewindRole);
  }
  for (const std::string& replica : database.replicas) {
    const std::string slot = replication_slot(replica);
    sql += fmt::format(
        "SELECT pg_create_physical_replication_slot('{0}') WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE "
        "slot_name = '{0}');\n",
        slot);
  }
  // A slot that nobody uses would hold the log back for ever.
  for (const Host& host : topology.hosts) {
    if (!is_among(host.name, database.replicas))
      sql += fmt::format(
          "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND slot_name = "
          "'{}';\n",
          replication_slot(host.name));
  }
  // No transaction of its own: so only when it is not there.
  sql += fmt::format(
      "SELECT 'CREATE DATABASE \"{0}\" OWNER \"{1}\"' WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = "
      "'{0}') \\gexec\n",
      database.database, database.username);
  return sql;
}

}  // namespace

Step roles_step(const Topology& topology, const Secrets& secrets) {
  const std::string sql = statements(topology, secrets);
  const std::string made = made_file(), sum = sha256_hex(sql);
  return {.host = topology.database->primary,
          .name = "roles and database of PostgreSQL",
          .check = fmt::format("[ \"$(cat {} 2>/dev/null)\" = {} ] && exit 0\necho 'are made'; exit 1\n", made, sum),
          // There is no replica yet that could confirm a commit.
          .action = fmt::format(
              "[ ! -f {standby} ] || {{ echo 'this host is a replica; to make it the primary: config-center "
              "failover database --to {primary}' >&2; exit 1; }}\n"
              "cd /; PGOPTIONS='-c synchronous_commit=local' runuser -u postgres -- psql -X -q -p {port} -v "
              "ON_ERROR_STOP=1 >/dev/null{sql}"
              "install -d -m 0700 {kept}; echo {sum} >{made}\n",
              fmt::arg("standby", kStandbySignal), fmt::arg("primary", topology.database->primary),
              fmt::arg("port", topology.database->port), fmt::arg("sql", here_document(sql)), fmt::arg("kept", kKept),
              fmt::arg("sum", sum), fmt::arg("made", made)),
          .undo = ""};
}

Step copy_step(const Topology& topology, const Host& replica) {
  return {
      .host = replica.name,
      .name = "copy of the primary's data",
      .check = fmt::format("[ -f {} ] && exit 0\necho 'is made'; exit 1\n", kStandbySignal),
      .action = fmt::format(
          "data={data}; cd /\n"
          // Its slots go with its data: should it become the primary, they are made again.
          "rm -f {made}\n"
          "as_postgres() {{ runuser -u postgres -- \"$@\"; }}\n"
          // Of the same cluster it is an old primary or a replica: what parts it from the new one is undone, if
          // that can be.
          "here=$(/usr/lib/postgresql/15/bin/pg_controldata $data 2>/dev/null | sed -n 's/^Database system "
          "identifier: *//p')\n"
          "there=$(as_postgres psql -wXAtq -d {replication} -c IDENTIFY_SYSTEM | cut -d'|' -f1)\n"
          "if [ -n \"$here\" ] && [ \"$here\" = \"$there\" ]; then\n"
          "  systemctl stop {unit}\n"
          "  if as_postgres /usr/lib/postgresql/15/bin/pg_rewind -D $data --source-server={rewind} "
          "--config-file=/etc/postgresql/15/main/postgresql.conf >/dev/null; then\n"
          "    as_postgres touch $data/standby.signal; exit 0\n"
          "  fi\n"
          "else\n"
          // Databases of PostgreSQL's own have numbers below that.
          "  for each in $data/base/*; do\n"
          "    case ${{each##*/}} in ''|*[!0-9]*) continue ;; esac\n"
          "    if [ ${{each##*/}} -ge 16384 ]; then\n"
          "      echo \"$data holds a database of somebody's, and would be replaced by the primary's: move it away "
          "first\" "
          ">&2; exit 1\n"
          "    fi\n"
          "  done\n"
          "fi\n"
          "systemctl stop {unit}\n"
          "rm -rf $data.new; cd /\n"
          "runuser -u postgres -- pg_basebackup -d {connection} -D $data.new -X stream -S {slot} -c fast\n"
          "as_postgres touch $data.new/standby.signal\n"
          "chmod 0700 $data.new\n"
          "rm -rf $data; mv $data.new $data\n",
          fmt::arg("data", kDatabaseData), fmt::arg("unit", kDatabaseUnit),
          fmt::arg("connection", shell_word(connection_to_primary(topology, replica))), fmt::arg("made", made_file()),
          fmt::arg("replication",
                   shell_word(connection_to_primary(topology, replica) + " dbname=replication replication=true")),
          fmt::arg("rewind", shell_word(connection_to_rewind(topology, replica))),
          fmt::arg("slot", replication_slot(replica.name))),
      .undo = "",
      .patience = std::chrono::hours(6)};
}

}  // namespace cc::deploy
