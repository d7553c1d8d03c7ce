#include "monitor/catalog.h"

#include <algorithm>
#include <array>

namespace cc::monitor {
namespace {

using enum MetricType;

constexpr auto kCatalog = std::to_array<MetricInfo>({
    {"config_center_info", gauge, "version,node_id", "1; the labels say which version runs here"},
    {"config_center_http_requests_total", counter, "route,method,status", "Requests answered"},
    {"config_center_http_request_duration_seconds", histogram, "route",
     "From the end of a request to the end of its answer; what waits by intent is left out"},
    {"config_center_http_connections", gauge, "", "Open client connections"},
    {"config_center_http_body_bytes", gauge, "", "Bodies of requests that are being received or answered"},
    {"config_center_watchers", gauge, "", "Requests that wait for a change"},
    {"config_center_configs", gauge, "", "Published configs"},
    {"config_center_config_bytes", gauge, "", "Content of all published configs in memory"},
    {"config_center_revision", gauge, "", "Newest revision that this node serves"},
    {"config_center_publishes_total", counter, "environment", "Releases published, rollbacks and imports included"},
    {"config_center_deletes_total", counter, "environment", "Configs deleted"},
    {"config_center_commit_duration_seconds", histogram, "", "From proposing a command to its commit"},
    {"config_center_apply_duration_seconds", histogram, "", "Applying one batch of commands to the state"},
    {"config_center_applied_commands_total", counter, "", "Commands applied since the start"},
    {"config_center_raft_role", gauge, "role", "1 for the role that the node has"},
    {"config_center_raft_has_leader", gauge, "", "1 when this node knows a leader"},
    {"config_center_raft_leader_id", gauge, "", "Node that leads, as far as this node knows; 0 when it knows none"},
    {"config_center_stale", gauge, "",
     "1 while this node may serve what others have changed since: it has not heard of a leader for too long"},
    {"config_center_raft_term", gauge, "", "Raft term"},
    {"config_center_raft_commit_index", gauge, "", "Newest committed entry"},
    {"config_center_raft_applied_index", gauge, "", "Newest applied entry"},
    {"config_center_raft_last_index", gauge, "", "Newest entry of the log"},
    {"config_center_raft_snapshot_index", gauge, "", "Entry that the newest snapshot was taken at"},
    {"config_center_raft_members", gauge, "membership", "Nodes of the group: voters, observers, those that join"},
    {"config_center_raft_peer_reachable", gauge, "peer", "On the leader: 1 when it heard of that node lately"},
    {"config_center_raft_peer_lag", gauge, "peer", "On the leader: entries of its log that the node does not have yet"},
    {"config_center_raft_elections_total", counter, "", "Elections this node took part in"},
    {"config_center_raft_snapshots_total", counter, "", "Snapshots taken since the start"},
    {"config_center_proposals_total", counter, "", "Commands proposed on this node"},
    {"config_center_proposals_failed_total", counter, "", "Proposals that were not committed"},
    {"config_center_proposals_pending", gauge, "", "Proposals in flight"},
    {"config_center_log_trouble", gauge, "", "1 while the log cannot be written (disk full, I/O error)"},
    {"config_center_log_bytes", gauge, "", "Raft log and snapshots on disk"},
    {"config_center_archive_up", gauge, "", "1 while the archive is written and reached"},
    {"config_center_archive_writing", gauge, "", "1 on the node that writes the archive, which is the leader"},
    {"config_center_archive_revision", gauge, "", "Everything up to this revision is in the archive"},
    {"config_center_archive_lag_revisions", gauge, "", "Revisions that this node has and the archive does not"},
    {"config_center_archive_lag_seconds", gauge, "", "Age of the oldest change that the archive does not have"},
    {"config_center_archive_batches_total", counter, "", "Batches written"},
    {"config_center_archive_errors_total", counter, "", "How often writing was broken off"},
    {"config_center_archive_connects_total", counter, "", "Connections opened to PostgreSQL"},
    {"config_center_archive_went_back_total", counter, "", "How often the archive had lost what it had"},
    {"config_center_archive_connections", gauge, "", "Open connections to PostgreSQL"},
    {"config_center_archive_connections_in_use", gauge, "", "Of those, in use"},
    {"config_center_state_bytes", gauge, "", "State file on disk, its journal included"},
    {"config_center_disk_free_bytes", gauge, "", "Free space under the data folder"},
    {"config_center_edge_up", gauge, "", "1 while the edge copy in Redis goes on, as far as this node knows"},
    {"config_center_edge_revision", gauge, "", "Everything up to it is in the edge copy"},
    {"config_center_edge_lag_revisions", gauge, "", "Revisions that the edge copy does not have yet"},
    {"config_center_edge_lag_seconds", gauge, "", "How long ago the oldest release was made that it does not have yet"},
    {"config_center_edge_batches_total", counter, "", "Batches that this node has written to the edge copy"},
    {"config_center_edge_errors_total", counter, "", "How often this node could not go on writing the edge copy"},
    {"config_center_edge_connects_total", counter, "", "How often this node has connected to write the edge copy"},
    {"config_center_edge_went_back_total", counter, "",
     "How often the edge copy had less than before, as after a failover, and was written again from there"},
    {"process_resident_memory_bytes", gauge, "", "Resident memory"},
    {"process_virtual_memory_bytes", gauge, "", "Virtual memory"},
    {"process_cpu_seconds_total", counter, "", "User and system time"},
    {"process_open_fds", gauge, "", "Open file descriptors"},
    {"process_max_fds", gauge, "", "Limit of open file descriptors"},
    {"process_threads", gauge, "", "Threads"},
    {"process_start_time_seconds", gauge, "", "When the process started, Unix time"},
});

}  // namespace

std::span<const MetricInfo> catalog() {
  return kCatalog;
}

const MetricInfo* find_metric(std::string_view name) {
  const auto found = std::ranges::find(kCatalog, name, &MetricInfo::name);
  return found == kCatalog.end() ? nullptr : found;
}

}  // namespace cc::monitor
