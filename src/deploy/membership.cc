#include "deploy/membership.h"

#include <fmt/format.h>

#include "base/host_port.h"
#include "deploy/app.h"

namespace cc::deploy {
namespace {

// One of the group that is not about to join it.
const std::string& spokesman(const App& app) {
  for (const std::string& host : app.hosts)
    if (!is_among(host, app.joined)) return host;
  return app.hosts.front();
}

// "cc ARGUMENTS" speaks to the node of this host as its administrator; "member N" tells whether the group has that
// node.
std::string speaking(const App& app) {
  return fmt::format(
      "export HOME=$(mktemp -d); trap 'rm -rf \"$HOME\"' EXIT\n"
      "cc() {{ {binary} \"$@\" --server http://127.0.0.1:{port}; }}\n"
      ". /etc/config-center/secrets/administrator.env\n"
      "printf %s \"$CONFIG_CENTER_ADMIN_PASSWORD\" | cc login --username admin --password-stdin >/dev/null\n"
      "member() {{ cc cluster status -o json 2>/dev/null | grep -q '^ *\"node\": '$1',$'; }}\n",
      fmt::arg("binary", kBinary), fmt::arg("port", app.port));
}

}  // namespace

Stage joining_stage(const Topology& topology) {
  const App& app = topology.app;
  Stage stage{.name = "joining"};
  for (const std::string& host : app.joined) {
    const std::uint64_t number = app.numbers.at(host);
    const std::string who = fmt::format("{}@{}", number, host_and_port(topology.host(host).address, app.raft_port));
    stage.steps.push_back(
        {.host = spokesman(app),
         .name = fmt::format("node {} on {} joins the group", number, host),
         .check = speaking(app) + fmt::format("member {} && exit 0\necho 'is told to the group'; exit 1\n", number),
         .action = speaking(app) + fmt::format("cc cluster add {} --wait 0s >/dev/null\n", who),
         .undo =
             speaking(app) + fmt::format("if member {0}; then cc cluster remove {0} --yes >/dev/null; fi\n", number)});
  }
  return stage;
}

Stage leaving_stage(const Topology& topology) {
  const App& app = topology.app;
  Stage stage{.name = "leaving"};
  for (const auto& [host, number] : app.left) {
    stage.steps.push_back(
        {.host = spokesman(app),
         .name = fmt::format("node {} of {} leaves the group", number, host),
         .check = speaking(app) + fmt::format("member {} || exit 0\necho 'is removed'; exit 1\n", number),
         .action = speaking(app) + fmt::format("cc cluster remove {} --yes >/dev/null\n", number),
         .undo = ""});
  }
  return stage;
}

}  // namespace cc::deploy
