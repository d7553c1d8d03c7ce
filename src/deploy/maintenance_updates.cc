#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deploy/app.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/install.h"
#include "deploy/maintenance.h"
#include "deploy/package_files.h"
#include "deploy/script.h"
#include "deploy/service.h"

namespace cc::deploy {
namespace {

using namespace std::chrono_literals;

// Packages that the host's part of the installation stands on; where a node runs, also those of the libraries that its
// binary loads, which is in no package that knows. Files are known to the system by the names that they had before
// /bin and /lib became links, too.
std::string find_roots(const Topology& topology, const Host& host) {
  std::string roots = fmt::format("roots=\"{}\"\n", fmt::join(packages_of(topology, host), " "));
  if (is_among(host.name, topology.app.hosts)) {
    roots += fmt::format(
        "libraries=$(ldd {} 2>/dev/null | sed -n 's|.* => \\(/[^ ]*\\) .*|\\1|p')\n"
        "roots=\"$roots $(for each in $libraries; do dpkg -S $each /usr$each 2>/dev/null; done | cut -d: -f1 | sort "
        "-u | tr '\\n' ' ')\"\n",
        kBinary);
  }
  return roots;
}

// Sets $pending: names of packages, one on each line; as APT would install them.
std::string find_updates(const Topology& topology, const Host& host) {
  const std::string only_security = topology.packages.empty() ? "| grep -i security " : "";
  return find_roots(topology, host) +
         fmt::format(
             "export LC_ALL=C\n"
             "ours=$(apt-cache depends --recurse --installed --no-suggests --no-recommends --no-conflicts --no-breaks "
             "--no-replaces --no-enhances $roots 2>/dev/null | grep '^[a-z0-9]' | sort -u)\n"
             "newer() {{ apt-get -s -q {arguments} -o Debug::NoLocking=1 upgrade 2>/dev/null | grep '^Inst ' "
             "{security}; }}\n"
             "pending=$(newer | cut -d' ' -f2 | sort -u | while read each; do echo \"$ours\" | grep -xF \"$each\" || "
             "true; done)\n",
             fmt::arg("arguments", apt_arguments(topology)), fmt::arg("security", only_security));
}

// Programs go on with the libraries that they were started with, and only some packages start them anew; some stop them
// and leave it at that. All of them ran before: nothing is updated where something does not.
std::string running_with_what_is_new(const Service& service) {
  return fmt::format(
      "process=$(systemctl show -P MainPID {0})\n"
      "if grep -qE '\\.so[.0-9]* \\(deleted\\)' /proc/$process/maps 2>/dev/null; then systemctl restart {0}; fi\n"
      "systemctl is-active --quiet {0} || systemctl start {0}\n",
      service.unit);
}

Step update_step(const Topology& topology, const Secrets& secrets, const Host& host) {
  const std::string find = find_updates(topology, host);
  std::string again;
  for (const Service& service : services_of(topology, secrets)) {
    if (service.host == host.name)
      again += running_with_what_is_new(service) + "(\n" + wait_until_ready(service) + ")\n";
  }
  return {.host = host.name,
          .name = "security updates",
          .check = find +
                   "[ -z \"$pending\" ] && exit 0\n"
                   "newer | while read word name rest; do\n"
                   "  echo \"$pending\" | grep -qxF \"$name\" && echo \"$name $rest\"\n"
                   "done; exit 1\n",
          .action = find +
                    fmt::format("export DEBIAN_FRONTEND=noninteractive\n"
                                "if ! said=$(apt-get install -y -q --only-upgrade --no-install-recommends {} -o "
                                "Dpkg::Options::=--force-confold $pending 2>&1); then\n"
                                "  echo \"$said\" | tail -5 >&2; exit 1\nfi\n",
                                apt_arguments(topology)) +
                    again,
          .undo = "",
          .patience = 20min};
}

// What the rest of the installation must see again before the next host.
Stage gate(const Topology& topology, const Secrets& secrets, const std::string& host) {
  Stage stage{.name = "after " + host};
  for (const Probe& probe : gates_of(topology, secrets)) {
    stage.steps.push_back(
        {.host = probe.host,
         .name = probe.name,
         .check = fmt::format("(\n{}\n) >/dev/null 2>&1 && exit 0\necho 'is waited for'; exit 1\n", probe.script),
         .action = fmt::format("(\n{}\n) 1>&2\n", probe.script),
         .undo = ""});
  }
  return stage;
}

// Who comes when.
enum class Turn { balancer, other, replica, node, primary };
Turn turn_of(const Topology& topology, const std::string& host) {
  const auto& database = topology.database;
  const auto& cache = topology.cache;
  if ((database && database->primary == host) || (cache && cache->primary == host)) return Turn::primary;
  if (is_among(host, topology.app.hosts)) return Turn::node;
  if ((database && is_among(host, hosts_of(*database))) || (cache && is_among(host, hosts_of(*cache))))
    return Turn::replica;
  if (topology.load_balancer && is_among(host, topology.load_balancer->hosts)) return Turn::balancer;
  return Turn::other;
}

}  // namespace

Stage package_lists_stage(const Topology& topology) {
  Stage stage{.name = "package lists"};
  for (const Host& host : topology.hosts) {
    if (!topology.packages.empty()) {
      stage.steps.push_back(package_files_step(topology, host));
      continue;
    }
    stage.steps.push_back({.host = host.name,
                           .name = "which packages there are",
                           .check = "[ -n \"$(find /var/lib/apt/lists -maxdepth 0 -mtime -1)\" ] && exit 0\n"
                                    "echo 'is asked again: it is known since more than a day'; exit 1\n",
                           .action = apt_update(topology) + "touch /var/lib/apt/lists\n",
                           .undo = "",
                           .patience = 10min});
  }
  return stage;
}

Stage updates_stage(const Topology& topology, const Secrets& secrets) {
  Stage stage{.name = "updates"};
  for (const Host& host : topology.hosts) {
    if (is_among(host.name, topology.app.hosts) || !packages_of(topology, host).empty())
      stage.steps.push_back(update_step(topology, secrets, host));
  }
  return stage;
}

Stages updates_stages(const Topology& topology, const Secrets& secrets, const std::vector<std::string>& hosts) {
  Stages stages;
  for (const Turn turn : {Turn::balancer, Turn::other, Turn::replica, Turn::node, Turn::primary}) {
    Stage nodes{.name = "updates of nodes", .one_host_after_the_other = true, .comes_last = leads(topology.app)};
    for (const std::string& host : hosts) {
      if (turn_of(topology, host) != turn) continue;
      Step step = update_step(topology, secrets, topology.host(host));
      if (turn == Turn::node) {
        nodes.steps.push_back(std::move(step));
      } else {
        stages.push_back({.name = "updates of " + host, .steps = {std::move(step)}});
        stages.push_back(gate(topology, secrets, host));
      }
    }
    if (nodes.steps.empty()) continue;
    stages.push_back(std::move(nodes));
    stages.push_back(gate(topology, secrets, "the nodes"));
  }
  return stages;
}

}  // namespace cc::deploy
