#include "node/metrics.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include "archive/archive.h"
#include "base/file.h"
#include "base/text.h"
#include "edge/edge.h"
#include "monitor/exposition.h"

namespace cc::node {
namespace {

// Unix time. Not the time now less the uptime: that differs a little each time it is asked for, and a start that moves
// looks like a restart.
double boot_time() {
  const std::string stat = read_file("/proc/stat").value_or("");
  const std::size_t at = stat.find("\nbtime ");
  return at == std::string::npos ? 0 : std::strtod(stat.c_str() + at + 7, nullptr);
}

// Linux tells how many there are since 6.2. Before, each is looked at, which takes a microsecond and more.
double open_files() {
  struct stat folder{};
  if (::stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) return static_cast<double>(folder.st_size);
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error))
    ++count;
  return count;
}

// /proc/self: what the field's client libraries export under the same names.
void add_process(monitor::Exposition& page) {
  const double page_size = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (const auto statm = read_file("/proc/self/statm")) {
    std::istringstream in(*statm);
    double size = 0, resident = 0;
    in >> size >> resident;
    page.add("process_virtual_memory_bytes", size * page_size);
    page.add("process_resident_memory_bytes", resident * page_size);
  }
  if (const auto stat = read_file("/proc/self/stat")) {
    // The fields after the program's name, which may hold blanks itself; the first of them is number 3.
    std::istringstream in(stat->substr(stat->rfind(')') + 1));
    std::array<std::string, 24> field;
    for (std::size_t i = 3; i < field.size() && in >> field.at(i); ++i)
      continue;
    const auto number = [&](std::size_t i) { return std::strtod(field.at(i).c_str(), nullptr); };
    page.add("process_cpu_seconds_total", (number(14) + number(15)) / ticks);
    page.add("process_threads", number(20));
    page.add("process_start_time_seconds", boot_time() + number(22) / ticks);
  }
  page.add("process_open_fds", open_files());
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  page.add("process_max_fds", static_cast<double>(limit.rlim_cur));
}

void add_log(monitor::Exposition& page, const consensus::Status& status) {
  using consensus::Role;
  for (const Role role : {Role::unavailable, Role::follower, Role::candidate, Role::leader}) {
    page.add("config_center_raft_role", role == status.role ? 1 : 0, {{"role", std::string(to_string(role))}});
  }
  const auto gauge = [&](std::string_view name, auto value) { page.add(name, static_cast<double>(value)); };
  gauge("config_center_raft_has_leader", status.leader_id != 0);
  gauge("config_center_raft_term", status.term);
  gauge("config_center_raft_commit_index", status.commit);
  gauge("config_center_raft_applied_index", status.applied);
  gauge("config_center_raft_last_index", status.last);
  gauge("config_center_raft_snapshot_index", status.snapshot);
  gauge("config_center_raft_elections_total", status.elections);
  gauge("config_center_raft_snapshots_total", status.snapshots_taken);
  gauge("config_center_proposals_total", status.proposals);
  gauge("config_center_proposals_failed_total", status.proposals_failed);
  gauge("config_center_proposals_pending", status.pending);
  gauge("config_center_log_trouble", !status.trouble.empty());
  gauge("config_center_log_bytes", status.log_bytes);
  gauge("config_center_raft_snapshot_bytes", status.snapshot_bytes);
}

void add_group(monitor::Exposition& page, const consensus::Status& status, bool stale) {
  using consensus::Membership;
  page.add("config_center_stale", stale ? 1 : 0);
  page.add("config_center_raft_leader_id", static_cast<double>(status.leader_id));
  for (const Membership membership : {Membership::voter, Membership::observer, Membership::joining}) {
    const auto count = std::ranges::count(status.servers, membership, &consensus::Status::Server::membership);
    page.add("config_center_raft_members", static_cast<double>(count),
             {{"membership", std::string(to_string(membership))}});
  }
  if (status.role != consensus::Role::leader) return;  // nobody else knows how the others are
  const auto voters = std::ranges::count_if(status.servers, [&](const auto& server) {
    return server.membership == Membership::voter && (server.reachable || server.id == status.node_id);
  });
  page.add("config_center_raft_voters_reachable", static_cast<double>(voters));
  for (const auto& server : status.servers) {
    if (server.id == status.node_id) continue;
    const std::string peer = std::to_string(server.id);
    page.add("config_center_raft_peer_reachable", server.reachable ? 1 : 0, {{"peer", peer}});
    page.add("config_center_raft_peer_lag", static_cast<double>(status.last - std::min(status.last, server.match)),
             {{"peer", peer}});
  }
}

void add_requests(monitor::Exposition& page, const std::vector<std::unique_ptr<IoThread>>& threads) {
  std::map<monitor::RequestCounts::Key, std::uint64_t> counts;
  std::map<std::string, monitor::Histogram::Sample> latencies;
  monitor::Histogram::Sample told;
  for (const auto& thread : threads) {
    thread->requests().sample(counts, latencies);
    told += thread->told_watchers().sample();
  }
  for (const auto& [key, count] : counts) {
    const auto& [route, method, status] = key;
    page.add("config_center_http_requests_total", static_cast<double>(count),
             {{"route", route}, {"method", method}, {"status", std::to_string(status)}});
  }
  for (const auto& [route, sample] : latencies)
    page.add("config_center_http_request_duration_seconds", sample, {{"route", route}});
  page.add("config_center_watch_delay_seconds", told);
}

void add_counters(monitor::Exposition& page, const Counters& counters) {
  page.add("config_center_commit_duration_seconds", counters.commit.sample());
  page.add("config_center_apply_duration_seconds", counters.apply.sample());
  page.add("config_center_log_write_duration_seconds", counters.write.sample());
  page.add("config_center_applied_commands_total", static_cast<double>(counters.applied.load()));
}

// Each environment is there from the start: a series that begins with what it counts first shows no increase.
void add_environments(monitor::Exposition& page, const MetricsSources& sources) {
  std::map<std::string, std::uint64_t> reads, publishes, deletes;
  if (const auto environments = sources.queries.environments()) {
    for (const Environment& each : *environments)
      for (auto* counts : {&reads, &publishes, &deletes})
        counts->try_emplace(each.name);
  }
  for (const auto& thread : sources.threads)
    thread->reads().sample(reads);
  {
    const std::lock_guard lock(sources.counters.mutex);
    for (const auto& [name, count] : sources.counters.publishes)
      publishes[name] = count;
    for (const auto& [name, count] : sources.counters.deletes)
      deletes[name] = count;
  }
  for (const auto& [metric, counts] :
       {std::pair("config_center_reads_total", &reads), std::pair("config_center_publishes_total", &publishes),
        std::pair("config_center_deletes_total", &deletes)}) {
    for (const auto& [name, count] : *counts)
      page.add(metric, static_cast<double>(count), {{"environment", name}});
  }
}

// `name`: of the projection.
void add_projection(monitor::Exposition& page, std::string_view name, const ProjectionStatus& status) {
  const auto add = [&](std::string_view what, auto value) {
    page.add(fmt::format("config_center_{}_{}", name, what), static_cast<double>(value));
  };
  add("up", status.trouble.empty());
  add("revision", status.revision);
  add("lag_revisions", status.lag_revisions);
  add("lag_seconds", std::chrono::duration<double>(status.lag).count());
  add("batches_total", status.batches);
  add("errors_total", status.errors);
  add("connects_total", status.connects);
  add("went_back_total", status.went_back);
}

void add_archive(monitor::Exposition& page, const ProjectionStatus& status) {
  add_projection(page, "archive", status);
  const auto gauge = [&](std::string_view name, auto value) { page.add(name, static_cast<double>(value)); };
  gauge("config_center_archive_writing", status.writing);
  gauge("config_center_archive_connections", status.connections);
  gauge("config_center_archive_connections_in_use", status.connections_in_use);
}

// Unix time; 0: never.
double seconds_of(const std::optional<Wall>& at) {
  return at ? std::chrono::duration<double>(at->time_since_epoch()).count() : 0.0;
}

void add_upkeep(monitor::Exposition& page, const Upkeep::Status& status) {
  page.add("config_center_maintenance_last_success_timestamp_seconds", seconds_of(status.success));
  page.add("config_center_maintenance_success_total", static_cast<double>(status.successes));
  page.add("config_center_maintenance_failures_total", static_cast<double>(status.failures));
}

void add_backups(monitor::Exposition& page, const Backups::Status& status) {
  const auto add = [&](std::string_view what, double value) {
    page.add(fmt::format("config_center_backup_{}", what), value);
  };
  add("last_success_timestamp_seconds", seconds_of(status.success));
  add("last_attempt_timestamp_seconds", seconds_of(status.attempt));
  add("last_verified_timestamp_seconds", seconds_of(status.verified));
  add("last_bytes", static_cast<double>(status.bytes));
  add("last_duration_seconds", std::chrono::duration<double>(status.took).count());
  add("success_total", static_cast<double>(status.successes));
  add("failures_total", static_cast<double>(status.failures));
}

void add_disk(monitor::Exposition& page, const Path& folder) {
  std::uint64_t state_bytes = 0;
  for (const char* name : {"state.db", "state.db-wal"}) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(folder / name, absent);
    if (!absent) state_bytes += size;
  }
  page.add("config_center_state_bytes", static_cast<double>(state_bytes));
  if (const auto free = free_space(folder)) page.add("config_center_disk_free_bytes", static_cast<double>(*free));
}

void add_security(monitor::Exposition& page, const MetricsSources& sources) {
  auto counts = sources.audit.counts();
  // There from the start: a series that begins with its first failure shows no increase.
  for (const std::string_view outcome : {std::string_view("done"), to_string(Code::unauthenticated)})
    counts.logins.try_emplace(std::string(outcome));
  for (const auto& [outcome, count] : counts.logins)
    page.add("config_center_logins_total", static_cast<double>(count), {{"outcome", outcome}});
  page.add("config_center_permission_denials_total", static_cast<double>(counts.denials));
  const auto add_certificate = [&](std::string_view use, std::optional<Wall> expires) {
    if (!expires) return;
    page.add("config_center_tls_certificate_expiry_timestamp_seconds",
             static_cast<double>(expires->time_since_epoch().count()) / 1000, {{"use", std::string(use)}});
  };
  if (sources.tls != nullptr) add_certificate("clients", sources.tls->expires());
  add_certificate("nodes", sources.log.certificate_expires());
}

// Blocks: it looks at files.
std::string page_of(const MetricsSources& sources, std::size_t watchers, const IoThread::Figures& figures) {
  monitor::Exposition page;
  page.add("config_center_info", 1,
           {{"version", CC_VERSION}, {"node_id", std::to_string(sources.settings.raft.node_id)}});
  page.add("config_center_watchers", static_cast<double>(watchers));
  page.add("config_center_configs", static_cast<double>(figures.configs));
  page.add("config_center_config_bytes", static_cast<double>(figures.content_bytes));
  page.add("config_center_revision", static_cast<double>(figures.revision));
  page.add("config_center_http_connections", static_cast<double>(sources.usage.connections.load()));
  page.add("config_center_http_connections_max", static_cast<double>(sources.usage.most_connections));
  page.add("config_center_http_body_bytes", static_cast<double>(sources.usage.body_bytes.load()));
  add_requests(page, sources.threads);
  add_counters(page, sources.counters);
  add_environments(page, sources);
  if (sources.archive != nullptr) add_archive(page, sources.archive->status(figures.revision));
  const consensus::Status status = sources.log.status();
  add_log(page, status);
  add_group(page, status, sources.log.stale());
  add_disk(page, sources.settings.data_dir);
  page.add("config_center_disk_free_min_bytes", static_cast<double>(sources.settings.server.min_free_disk));
  add_security(page, sources);
  if (sources.edge != nullptr) add_projection(page, "edge", sources.edge->status());
  if (sources.backups != nullptr) add_backups(page, sources.backups->status());
  if (sources.upkeep != nullptr) add_upkeep(page, sources.upkeep->status());
  add_process(page);
  return page.text();
}

Task<http::Response> scrape(MetricsSources sources) {
  std::size_t watchers = 0;
  IoThread::Figures last;
  for (const auto& thread : sources.threads) {
    last = co_await offload(thread->io(), [&] { return thread->figures(); });
    watchers += last.watchers;
  }
  std::string page = co_await offload(sources.workers, [&] { return page_of(sources, watchers, last); });
  http::Response response(200);
  response.header("Content-Type", "text/plain; version=0.0.4; charset=utf-8").body(std::move(page));
  co_return response;
}

}  // namespace

std::string metrics_page(const MetricsSources& sources) {
  std::size_t watchers = 0;
  IoThread::Figures last;
  for (const auto& thread : sources.threads) {
    last = asio::post(thread->io(), asio::use_future([&] { return thread->figures(); })).get();
    watchers += last.watchers;
  }
  return page_of(sources, watchers, last);
}

void add_metrics_route(http::Router& router, const MetricsSources& sources) {
  router.add(http::Method::get, sources.settings.monitoring.metrics_path,
             [sources](http::Request&) { return scrape(sources); });
}

}  // namespace cc::node
