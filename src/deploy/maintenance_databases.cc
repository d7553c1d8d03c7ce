#include <algorithm>

#include <fmt/format.h>

#include "deploy/app.h"
#include "deploy/database.h"
#include "deploy/maintenance.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 2h;  // with the largest archives

// What is looked at is that of the archive alone; a database in which it is not made yet has none of it.
constexpr std::string_view kDue = R"sql(
WITH theirs AS (
  SELECT s.*, c.relkind FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid WHERE s.schemaname = 'config_center')
SELECT format('%I.%I', schemaname, relname) FROM theirs WHERE
  CASE WHEN relkind = 'p' THEN coalesce(last_analyze, 'epoch') < now() - interval '7 days'
  ELSE n_dead_tup > 1000 + n_live_tup / 10 OR n_mod_since_analyze > 1000 + n_live_tup / 20 END)sql";

// How full the pages of an index are is told by an extension that comes with PostgreSQL; it is there for this question
// alone.
constexpr std::string_view kBloated = R"sql(
BEGIN; SET LOCAL client_min_messages = error; CREATE EXTENSION IF NOT EXISTS pgstattuple SCHEMA public;
WITH large AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_am a ON a.oid = c.relam
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'config_center' AND c.relkind = 'i' AND a.amname = 'btree' AND i.indisvalid AND pg_relation_size(c.oid) > 16777216)
SELECT format('%I.%I', nspname, relname) FROM large WHERE (public.pgstatindex(oid)).avg_leaf_density < 50;
ROLLBACK)sql";

constexpr std::string_view kHalfMade = R"sql(
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'config_center' AND NOT i.indisvalid AND c.relname ~ '_ccnew[0-9]*$')sql";

constexpr std::string_view kNextPart = R"sql(
SELECT 'audit_' || to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM')
WHERE to_regclass('config_center.audit') IS NOT NULL AND to_regclass('config_center.audit_' ||
  to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM')) IS NULL)sql";

constexpr std::string_view kMakeNextPart = R"sql(
DO $do$ DECLARE month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month'; BEGIN
EXECUTE format('CREATE TABLE IF NOT EXISTS config_center.%I PARTITION OF config_center.audit FOR VALUES FROM (%L) TO (%L)',
  'audit_' || to_char(month, 'YYYY_MM'), to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
  to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
END $do$)sql";

Step archive_step(const Topology& topology) {
  const Database& database = *topology.database;
  const std::string questions =
      psql_function(database, database.database) +
      fmt::format("due=$(psql {}) bloated=$(psql {}) half=$(psql {}) part=$(psql {})\n", shell_word(kDue),
                  shell_word(kBloated), shell_word(kHalfMade), shell_word(kNextPart));
  return {
      .host = database.primary,
      .name = "archive in PostgreSQL",
      .check = questions +
               "[ -n \"$due$bloated$half$part\" ] || exit 0\n"
               "list() { [ -z \"$2\" ] || echo \"$1:\" $2; }\n"
               "list 'statistics and room of' \"$due\"\n"
               "list 'made anew, mostly empty' \"$bloated\"\n"
               "list 'removed, half made' \"$half\"\n"
               "list 'the part for the next month' \"$part\"\n"
               "exit 1\n",
      // Each statement of its own: none of them may stand in a transaction, and none of them keeps anybody waiting.
      .action = questions + fmt::format("for each in $due; do psql \"VACUUM (ANALYZE, SKIP_LOCKED) $each\"; done\n"
                                        "for each in $half; do psql \"DROP INDEX CONCURRENTLY IF EXISTS $each\"; done\n"
                                        "for each in $bloated; do psql \"REINDEX INDEX CONCURRENTLY $each\"; done\n"
                                        "if [ -n \"$part\" ]; then psql {}; fi\n"
                                        "psql 'SELECT pg_stat_force_next_flush()' >/dev/null; sleep 1\n",
                                        shell_word(fmt::format("SET ROLE {}; {}", database.username, kMakeNextPart))),
      .undo = "",
      .patience = kPatience};
}

}  // namespace

Probe same_state(const Topology& topology) {
  std::string servers;
  for (const std::string& host : topology.app.hosts)
    servers +=
        fmt::format("{}http://{}:{}", servers.empty() ? "" : ",", topology.host(host).address, topology.app.port);
  return {.host = topology.app.hosts.front(),
          .name = "all nodes hold the same",
          .script = fmt::format(
              "export HOME=$(mktemp -d)\ntrap 'rm -rf \"$HOME\"' EXIT\n"
              ". /etc/config-center/secrets/administrator.env\n"
              "for server in {0}; do\n"
              "  printf %s \"$CONFIG_CENTER_ADMIN_PASSWORD\" | {1} login --server $server --username admin "
              "--password-stdin >/dev/null\n"
              "done\n"
              "if said=$({1} cluster status --checksum --server {2} 2>&1 >/dev/null); then exit 0; fi\n"
              "echo \"$said\"\n"
              // They answer at different entries of the log as long as many changes come: no sign of anything.
              "case \"$said\" in *'cannot be compared'*) exit {3} ;; *) exit 1 ;; esac\n",
              [&] {
                std::string words = servers;
                std::ranges::replace(words, ',', ' ');
                return words;
              }(),
              kBinary, servers, kWarns)};
}

Stage databases_stage(const Topology& topology, const Run& run) {
  Stage stage{.name = "databases"};
  for (const std::string& host : topology.app.hosts) {
    const std::string done = fmt::format("{}/kept-up", run.kept());
    stage.steps.push_back(
        {.host = host,
         .name = "state of the node",
         .check =
             fmt::format("[ -e {done} ] && exit 0\n{as_node}"
                         "told=$(as_node {binary} maintenance run --dry-run -o json) || {{ echo \"$told\"; exit 1; }}\n"
                         "printf '%s' \"$told\" | grep -q '\"due\": *true' || exit 0\n"
                         "as_node {binary} maintenance run --dry-run; exit 1\n",
                         fmt::arg("done", done), fmt::arg("as_node", as_node()), fmt::arg("binary", kBinary)),
         .action = fmt::format("{}as_node {} maintenance run --yes >/dev/null\ninstall -d -m 0700 {}; touch {}\n",
                               as_node(), kBinary, run.kept(), done),
         .undo = "",
         .patience = kPatience});
  }
  if (topology.database) stage.steps.push_back(archive_step(topology));
  return stage;
}

}  // namespace cc::deploy
