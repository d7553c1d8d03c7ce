#include "monitor/catalog.h"

#include <algorithm>
#include <array>

namespace cc::monitor {
namespace {

using enum MetricType;
using enum Exported;

constexpr auto kCatalog = std::to_array<MetricInfo>({
    {"config_center_info", gauge, "bool", "version,node_id", always, "1; the labels say which version runs here"},
    {"config_center_http_requests_total", counter, "requests", "route,method,status", counted, "Requests answered"},
    {"config_center_http_request_duration_seconds", histogram, "seconds", "route", counted,
     "From the end of a request to the end of its answer; what waits by intent is left out"},
    {"config_center_http_connections", gauge, "connections", "", always, "Open client connections"},
    {"config_center_http_connections_max", gauge, "connections", "", always,
     "Most client connections at once; more are answered 503"},
    {"config_center_http_body_bytes", gauge, "bytes", "", always,
     "Bodies of requests that are being received or answered"},
    {"config_center_watchers", gauge, "watchers", "", always, "Requests that wait for a change"},
    {"config_center_watch_delay_seconds", histogram, "seconds", "", always,
     "From a commit, as each I/O thread hears of it, until the last watcher that it woke there was answered"},
    {"config_center_configs", gauge, "configs", "", always, "Published configs"},
    {"config_center_config_bytes", gauge, "bytes", "", always, "Content of all published configs in memory"},
    {"config_center_revision", gauge, "revision", "", always, "Newest revision that this node serves"},
    {"config_center_reads_total", counter, "reads", "environment", environments,
     "Configs read that were there; what watchers were told is left out"},
    {"config_center_publishes_total", counter, "releases", "environment", environments,
     "Releases published, rollbacks and imports included"},
    {"config_center_deletes_total", counter, "configs", "environment", environments, "Configs deleted"},
    {"config_center_logins_total", counter, "logins", "outcome", always,
     "Logins with a password, by how they ended: done, unauthenticated for a wrong name or password, exhausted while "
     "locked out, or another error code"},
    {"config_center_permission_denials_total", counter, "requests", "", always,
     "What callers asked for and were not permitted"},
    {"config_center_commit_duration_seconds", histogram, "seconds", "", always,
     "From proposing a command to its commit"},
    {"config_center_log_write_duration_seconds", histogram, "seconds", "", always,
     "Writing one batch of entries to the Raft log, until the disk had it"},
    {"config_center_apply_duration_seconds", histogram, "seconds", "", always,
     "Applying one batch of commands to the state"},
    {"config_center_applied_commands_total", counter, "commands", "", always, "Commands applied since the start"},
    {"config_center_raft_role", gauge, "bool", "role", always, "1 for the role that the node has"},
    {"config_center_raft_has_leader", gauge, "bool", "", always, "1 when this node knows a leader"},
    {"config_center_raft_leader_id", gauge, "node", "", always,
     "Node that leads, as far as this node knows; 0 when it knows none"},
    {"config_center_stale", gauge, "bool", "", always,
     "1 while this node may serve what others have changed since: it has not heard of a leader for too long"},
    {"config_center_raft_term", gauge, "term", "", always, "Raft term"},
    {"config_center_raft_commit_index", gauge, "entry", "", always, "Newest committed entry"},
    {"config_center_raft_applied_index", gauge, "entry", "", always, "Newest applied entry"},
    {"config_center_raft_last_index", gauge, "entry", "", always, "Newest entry of the log"},
    {"config_center_raft_snapshot_index", gauge, "entry", "", always, "Entry that the newest snapshot was taken at"},
    {"config_center_raft_snapshot_bytes", gauge, "bytes", "", always, "Size of the newest snapshot"},
    {"config_center_raft_members", gauge, "nodes", "membership", always,
     "Nodes of the group: voters, observers, those that join"},
    {"config_center_raft_voters_reachable", gauge, "nodes", "", leader,
     "On the leader: voters that it heard of lately, itself included"},
    {"config_center_raft_peer_reachable", gauge, "bool", "peer", leader_of_several,
     "On the leader: 1 when it heard of that node lately"},
    {"config_center_raft_peer_lag", gauge, "entries", "peer", leader_of_several,
     "On the leader: entries of its log that the node does not have yet"},
    {"config_center_raft_elections_total", counter, "elections", "", always, "Elections this node took part in"},
    {"config_center_raft_snapshots_total", counter, "snapshots", "", always, "Snapshots taken since the start"},
    {"config_center_proposals_total", counter, "commands", "", always, "Commands proposed on this node"},
    {"config_center_proposals_failed_total", counter, "commands", "", always, "Proposals that were not committed"},
    {"config_center_proposals_pending", gauge, "commands", "", always, "Proposals in flight"},
    {"config_center_log_trouble", gauge, "bool", "", always,
     "1 while the log cannot be written (disk full, I/O error)"},
    {"config_center_log_bytes", gauge, "bytes", "", always, "Raft log and snapshots on disk"},
    {"config_center_archive_up", gauge, "bool", "", archive, "1 while the archive is written and reached"},
    {"config_center_archive_writing", gauge, "bool", "", archive,
     "1 on the node that writes the archive, which is the leader"},
    {"config_center_archive_revision", gauge, "revision", "", archive,
     "Everything up to this revision is in the archive"},
    {"config_center_archive_lag_revisions", gauge, "revisions", "", archive,
     "Revisions that this node has and the archive does not"},
    {"config_center_archive_lag_seconds", gauge, "seconds", "", archive,
     "Age of the oldest change that the archive does not have"},
    {"config_center_archive_batches_total", counter, "batches", "", archive, "Batches written"},
    {"config_center_archive_errors_total", counter, "errors", "", archive, "How often writing was broken off"},
    {"config_center_archive_connects_total", counter, "connections", "", archive, "Connections opened to PostgreSQL"},
    {"config_center_archive_went_back_total", counter, "times", "", archive,
     "How often the archive had lost what it had"},
    {"config_center_archive_connections", gauge, "connections", "", archive, "Open connections to PostgreSQL"},
    {"config_center_archive_connections_in_use", gauge, "connections", "", archive, "Of those, in use"},
    {"config_center_state_bytes", gauge, "bytes", "", always, "State file on disk, its journal included"},
    {"config_center_disk_free_bytes", gauge, "bytes", "", always, "Free space under the data folder"},
    {"config_center_disk_free_min_bytes", gauge, "bytes", "", always,
     "The node takes no changes while less is free: server.min_free_disk"},
    {"config_center_edge_up", gauge, "bool", "", edge,
     "1 while the edge copy in Redis goes on, as far as this node knows"},
    {"config_center_edge_revision", gauge, "revision", "", edge, "Everything up to it is in the edge copy"},
    {"config_center_edge_lag_revisions", gauge, "revisions", "", edge,
     "Revisions that the edge copy does not have yet"},
    {"config_center_edge_lag_seconds", gauge, "seconds", "", edge,
     "How long ago the oldest release was made that it does not have yet"},
    {"config_center_edge_batches_total", counter, "batches", "", edge,
     "Batches that this node has written to the edge copy"},
    {"config_center_edge_errors_total", counter, "errors", "", edge,
     "How often this node could not go on writing the edge copy"},
    {"config_center_edge_connects_total", counter, "connections", "", edge,
     "How often this node has connected to write the edge copy"},
    {"config_center_edge_went_back_total", counter, "times", "", edge,
     "How often the edge copy had less than before, as after a failover, and was written again from there"},
    {"config_center_tls_certificate_expiry_timestamp_seconds", gauge, "seconds", "use", tls,
     "Until when a certificate that the node shows is valid, Unix time; to clients, or to the other nodes"},
    {"config_center_backup_last_success_timestamp_seconds", gauge, "seconds", "", backup,
     "When the last backup that succeeded was made, Unix time; 0: there is none"},
    {"config_center_backup_last_attempt_timestamp_seconds", gauge, "seconds", "", backup,
     "When a backup was last begun, Unix time; 0: never"},
    {"config_center_backup_last_verified_timestamp_seconds", gauge, "seconds", "", backup,
     "When a backup was last read back and found to be sound, Unix time; 0: never"},
    {"config_center_backup_last_bytes", gauge, "bytes", "", backup, "Size of the last backup that succeeded"},
    {"config_center_backup_last_duration_seconds", gauge, "seconds", "", backup,
     "How long the last backup that succeeded took"},
    {"config_center_backup_success_total", counter, "backups", "", backup, "Backups that succeeded"},
    {"config_center_backup_failures_total", counter, "backups", "", backup, "Backups that failed"},
    {"config_center_maintenance_last_success_timestamp_seconds", gauge, "seconds", "", maintenance,
     "When the node last put its own folder in order, Unix time; 0: not since its start"},
    {"config_center_maintenance_success_total", counter, "times", "", maintenance,
     "How often the node has put its own folder in order"},
    {"config_center_maintenance_failures_total", counter, "times", "", maintenance,
     "How often it could not put its own folder in order"},
    {"config_center_maintenance_of_hosts_last_success_timestamp_seconds", gauge, "seconds", "", hosts,
     "When `maintenance run` last ended well on the host, Unix time"},
    {"config_center_virtual_address_held", gauge, "bool", "address", address,
     "1 on the load balancer that has the virtual address"},
    {"process_resident_memory_bytes", gauge, "bytes", "", always, "Resident memory"},
    {"process_virtual_memory_bytes", gauge, "bytes", "", always, "Virtual memory"},
    {"process_cpu_seconds_total", counter, "seconds", "", always, "User and system time"},
    {"process_open_fds", gauge, "files", "", always, "Open file descriptors"},
    {"process_max_fds", gauge, "files", "", always, "Limit of open file descriptors"},
    {"process_threads", gauge, "threads", "", always, "Threads"},
    {"process_start_time_seconds", gauge, "seconds", "", always, "When the process started, Unix time"},
});

constexpr auto kLabels = std::to_array<LabelInfo>({
    {"version", "the program's", 1},
    {"node_id", "the node's own", 1},
    {"route", "the routes of the API as they are declared, never a path; none when none matched", 60},
    {"method", "the methods that the server knows", 7},
    {"status", "HTTP's", 40},
    {"environment", "environments that have or had configs; made by administrators", 0},
    {"outcome", "done, or one of the error codes", 12},
    {"role", "unavailable, follower, candidate, leader", 4},
    {"membership", "voter, observer, joining", 3},
    {"peer", "the other nodes of the group", 0},
    {"use", "clients, nodes", 2},
    {"address", "the virtual address", 1},
    {"le", "the upper bounds of a histogram's buckets", 16},
});

}  // namespace

std::span<const LabelInfo> labels() {
  return kLabels;
}

std::string_view to_string(MetricType type) noexcept {
  switch (type) {
    case counter:
      return "counter";
    case gauge:
      return "gauge";
    case histogram:
      return "histogram";
  }
  return "gauge";
}

std::string_view to_string(Exported when) noexcept {
  switch (when) {
    case always:
      return "always";
    case counted:
      return "once there was one";
    case environments:
      return "once there is an environment";
    case leader:
      return "on the leader";
    case leader_of_several:
      return "on the leader of several nodes";
    case archive:
      return "with an archive";
    case edge:
      return "with an edge copy";
    case tls:
      return "with TLS";
    case backup:
      return "with backups";
    case maintenance:
      return "unless maintenance.schedule.enabled is false";
    case hosts:
      return "after maintenance of an installation, by the exporter of the host";
    case address:
      return "on load balancers, by the exporter of the host";
  }
  return "always";
}

std::span<const MetricInfo> catalog() {
  return kCatalog;
}

const MetricInfo* find_metric(std::string_view name) {
  const auto found = std::ranges::find(kCatalog, name, &MetricInfo::name);
  return found == kCatalog.end() ? nullptr : found;
}

}  // namespace cc::monitor
