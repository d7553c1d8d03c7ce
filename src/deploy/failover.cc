#include "deploy/failover.h"

#include <fmt/format.h>

#include "base/text.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;

Step fence(const Topology& after, const std::string& old_primary) {
  const Database& database = *after.database;
  return {
      .host = old_primary,
      .name = "the old primary of PostgreSQL stops",
      .check = fmt::format("[ -f {} ] && exit 0\nsystemctl is-active --quiet {} || exit 0\necho 'is stopped'; exit 1\n",
                           kStandbySignal, kDatabaseUnit),
      // A clean stop sends all there is to whoever streams.
      .action =
          psql_function(database) +
          fmt::format("[ \"$(psql \"SELECT count(*) FROM pg_stat_replication WHERE application_name = '{0}' AND "
                      "state = 'streaming'\")\" = 1 ] || {{ echo '{0} does not stream from it, and would lack what "
                      "was written: mend that first' >&2; exit 1; }}\n"
                      "psql CHECKPOINT\n"
                      "systemctl stop {1}\n",
                      database.primary, kDatabaseUnit),
      .undo = ""};
}

Step promote(const Topology& after) {
  const Database& database = *after.database;
  return {
      .host = database.primary,
      .name = "becomes the primary of PostgreSQL",
      .check = fmt::format("[ -f {} ] || exit 0\necho 'is promoted'; exit 1\n", kStandbySignal),
      // The second CHECKPOINT is for pg_rewind, which reads from it where the histories part.
      .action =
          psql_function(database) +
          "for i in $(seq 1 100); do\n"
          "  [ \"$(psql 'SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()')\" = t ] && break\n"
          "  sleep 0.2\n"
          "done\n"
          "[ \"$(psql 'SELECT pg_promote(true, 60)')\" = t ] || { echo 'it was not promoted within a minute' >&2; exit "
          "1; }\n"
          "psql CHECKPOINT\n",
      .undo = ""};
}

}  // namespace

Result<std::string> most_advanced_replica(const Hosts& hosts, const Database& database) {
  std::string best, troubles;
  std::uint64_t most = 0;
  for (const std::string& replica : database.replicas) {
    const std::string script = psql_function(database) +
                               "psql \"SELECT pg_wal_lsn_diff(COALESCE(pg_last_wal_receive_lsn(), "
                               "pg_last_wal_replay_lsn()), '0/0')::bigint\"\n";
    const auto told =
        hosts.connect(hosts.topology.host(replica))->run(as_root(script), {hosts.clock, hosts.clock.now() + 30s});
    const auto at = told && told->good() ? parse_uint(trim(told->output), "position") : parse_uint("", "position");
    if (!at) {
      troubles += fmt::format("; {}: {}", replica, told ? trim(told->errors) : told.error().message);
    } else if (best.empty() || *at > most) {
      best = replica;
      most = *at;
    }
  }
  if (!best.empty()) return best;
  return fail(Code::unavailable, "no replica of the database answers" + troubles);
}

Stages database_failover(const Wish& after, const std::string& old_primary, bool lost) {
  Stages stages;
  if (!lost) stages.push_back({.name = "fence", .steps = {fence(after.topology, old_primary)}});
  stages.push_back({.name = "promote", .steps = {promote(after.topology)}});
  for (Stage& stage : stages_of(after)) {
    if (lost) std::erase_if(stage.steps, [&](const Step& step) { return step.host == old_primary; });
    stages.push_back(std::move(stage));
  }
  return stages;
}

Stages cache_failover(const Topology& topology, const Secrets& secrets, const Run& run) {
  const Cache& cache = *topology.cache;
  const std::string done = run.kept() + "/cache-failover";
  Step step{
      .host = cache.sentinels.front(),
      .name = "another Redis becomes the primary",
      .check = fmt::format("[ -e {} ] && exit 0\necho 'is chosen by the Sentinels'; exit 1\n", done),
      .action = fmt::format(
          "ask() {{ REDISCLI_AUTH={} redis-cli -p {} sentinel \"$@\"; }}\n"
          "primary() {{ ask get-master-addr-by-name {name} | head -1; }}\n"
          "before=$(primary)\n"
          "said=$(ask failover {name}); [ \"$said\" = OK ] || {{ echo \"the Sentinels do not: $said\" >&2; exit 1; }}\n"
          "for i in $(seq 1 150); do\n"
          "  now=$(primary)\n"
          "  if [ -n \"$now\" ] && [ \"$now\" != \"$before\" ]; then install -d -m 0700 {run}; touch {done}; exit 0; "
          "fi\n"
          "  sleep 0.2\n"
          "done\n"
          "echo \"it is still $before after half a minute\" >&2; exit 1\n",
          secrets.cache, cache.sentinel_port, fmt::arg("name", cache.primary_name), fmt::arg("run", run.kept()),
          fmt::arg("done", done)),
      .undo = ""};
  return {{.name = "failover", .steps = {std::move(step)}}};
}

}  // namespace cc::deploy
