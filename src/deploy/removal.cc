#include "deploy/removal.h"

#include <fmt/format.h>

#include "deploy/app.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/package_files.h"
#include "deploy/script.h"

namespace cc::deploy {
namespace {

// The oldest that was kept is what was there before us.
constexpr std::string_view kFilesBack = R"sh(
while read -r sum f; do
  first=
  for run in $(ls -d $kept/runs/* 2>/dev/null | sort -t/ -k6 -n); do
    if [ -e $run$f.written ] || [ -e $run$f ]; then first=$run; break; fi
  done
  if [ -n "$first" ] && [ -e $first$f ]; then cp -p $first$f $f; else rm -f $f; fi
done <$kept/written
systemctl daemon-reload
)sh";

std::string data_of(const Topology& topology, const Host& host) {
  std::string script;
  if (is_among(host.name, topology.app.hosts)) script += fmt::format("rm -rf {}\n", shell_word(topology.app.data_dir));
  // As the package makes it when it is installed.
  if (topology.database && is_among(host.name, hosts_of(*topology.database)))
    script += "pg_dropcluster --stop 15 main\npg_createcluster 15 main >/dev/null\n";
  if (topology.cache && is_among(host.name, hosts_of(*topology.cache)))
    script += "find /var/lib/redis -mindepth 1 -delete\n";
  if (topology.prometheus && topology.prometheus->host == host.name)
    script += "rm -rf /var/lib/prometheus/metrics2/*\n";
  if (topology.alertmanager && topology.alertmanager->host == host.name)
    script += "rm -rf /var/lib/prometheus/alertmanager/*\n";
  return script;
}

}  // namespace

Stage removal_stage(const Topology& topology, bool keep_data) {
  Stage stage{.name = "remove"};
  for (const Host& host : topology.hosts) {
    std::string action = fmt::format("kept={}\n", kKept);
    if (is_among(host.name, topology.app.hosts)) {
      action += fmt::format("systemctl disable --quiet {} 2>/dev/null || true\nrm -rf {} /etc/config-center/secrets\n",
                            kAppUnit, kAppFolder);
    }
    if (!topology.packages.empty()) action += fmt::format("rm -rf {}\n", kPackagesFolder);
    action += kFilesBack;
    if (!keep_data) action += data_of(topology, host);
    // The lock is still held.
    action += "find $kept -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +\n";
    stage.steps.push_back({.host = host.name,
                           .name = keep_data ? "files of the installation" : "files and data of the installation",
                           .check = fmt::format("[ -e {}/written ] || exit 0\necho 'are removed'; exit 1\n", kKept),
                           .action = std::move(action),
                           .undo = ""});
  }
  return stage;
}

}  // namespace cc::deploy
