#include <fmt/format.h>

#include "deploy/app.h"
#include "deploy/maintenance.h"
#include "deploy/package_files.h"

namespace cc::deploy {
namespace {

constexpr int kReleases = 3;  // of which one runs
constexpr int kRuns = 10;     // can be undone only while they run: these are for whoever wants to look
constexpr int kDays = 30;     // that the folder of a node which left the group is kept

// Prints what goes, one path on each line.
std::string find_leftovers(const Topology& topology) {
  return fmt::format(
      "leftovers() {{\n"
      "  ls -1dt {app}/releases/* 2>/dev/null | grep -vx \"$(readlink -f {app}/current)\" | tail -n +{releases}\n"
      "  ls -1 {kept}/runs 2>/dev/null | grep -x '[0-9]*' | sort -rn | tail -n +{runs} | sed 's|^|{kept}/runs/|'\n"
      "  ls -1d {data}.left-* 2>/dev/null | while read each; do find $each -maxdepth 0 -mtime +{days}; done\n"
      "  find /var/tmp -maxdepth 1 -name 'config-center-*' -mtime +0\n"
      "}}\n",
      fmt::arg("app", kAppFolder), fmt::arg("releases", kReleases), fmt::arg("kept", kKept),
      fmt::arg("runs", kRuns + 1), fmt::arg("data", topology.app.data_dir), fmt::arg("days", kDays));
}

}  // namespace

Stage cleaning_stage(const Topology& topology) {
  Stage stage{.name = "cleaning"};
  const std::string find = find_leftovers(topology);
  for (const Host& host : topology.hosts) {
    stage.steps.push_back({.host = host.name,
                           .name = "what is needed no more",
                           .check = find + "old=$(leftovers); [ -z \"$old\" ] && exit 0\n"
                                           "echo \"$old\" | while read each; do du -sh \"$each\"; done; exit 1\n",
                           .action = find + "leftovers | while read each; do rm -rf \"$each\"; done\n",
                           .undo = ""});
  }
  return stage;
}

Stage report_stage(const Topology& topology, const Run& run) {
  Stage stage{.name = "report"};
  if (!topology.exporters) return stage;
  constexpr std::string_view kFolder = "/var/lib/prometheus/node-exporter";
  for (const Host& host : topology.hosts) {
    const std::string file = fmt::format("{}/config-center-maintenance.prom", kFolder);
    stage.steps.push_back(
        {.host = host.name,
         .name = "metrics of the maintenance",
         .check = fmt::format("[ -d {} ] || exit 0\n[ -e {}/reported ] && exit 0\necho 'are written'; exit 1\n",
                              kFolder, run.kept()),
         .action = fmt::format("echo \"config_center_maintenance_of_hosts_last_success_timestamp_seconds $(date +%s)\" "
                               ">{0}.new\nchmod 0644 {0}.new; mv {0}.new {0}\n"
                               "install -d -m 0700 {1}; touch {1}/reported\n",
                               file, run.kept()),
         .undo = ""});
  }
  return stage;
}

}  // namespace cc::deploy
