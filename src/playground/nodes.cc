#include <fmt/format.h>

#include "playground/part.h"

namespace cc::playground {
namespace {

std::string peers(const Site& site) {
  std::string all;
  for (unsigned number = 1; number <= site.layout.nodes; ++number)
    all += fmt::format("    - {}@{}\n", number, site.address(fmt::format("node{}.raft", number)));
  return all;
}

// Of secrets the values, as all that is in the folder is closed to others.
std::string settings(const Site& site, unsigned number, const Path& folder) {
  const std::string name = numbered("node", number);
  std::string text = fmt::format(
      "data_dir: {folder}\n"
      "server:\n"
      "  port: {port}\n"
      "  drain: 0s\n"  // all end together: nobody is to look elsewhere
      "raft:\n"
      "  node_id: {number}\n"
      "  address: {raft}\n"
      "  secret: {raft_secret}\n"
      "  peers:\n{peers}"
      "security:\n"
      "  jwt_secret: {jwt}\n"
      "  encryption_key: {encryption}\n"
      "monitoring:\n"
      "  prometheus_port: {metrics}\n",
      fmt::arg("folder", (folder / "data").string()), fmt::arg("port", site.port(name)), fmt::arg("number", number),
      fmt::arg("raft", site.address(name + ".raft")), fmt::arg("raft_secret", site.secrets.raft),
      fmt::arg("peers", peers(site)), fmt::arg("jwt", site.secrets.jwt),
      fmt::arg("encryption", site.secrets.encryption), fmt::arg("metrics", site.port(name + ".metrics")));
  if (!site.layout.full) return text;
  text += fmt::format(
      "database:\n"
      "  host: {}\n"
      "  username: {}\n"
      "  database: {}\n"
      "  password: {}\n"
      "cache:\n"
      "  sentinels: {}\n"
      "  sentinel_primary: {}\n"
      "  password: {}\n"
      "  sentinel_password: {}\n",
      site.addresses("postgres", kDatabases, ','), kDatabaseRole, kDatabase, site.secrets.database,
      site.addresses("sentinel", kSentinels, ','), kPrimaryName, site.secrets.cache, site.secrets.cache);
  return text;
}

}  // namespace

Part nodes(const Site& site) {
  Part part;
  for (unsigned number = 1; number <= site.layout.nodes; ++number) {
    const std::string name = numbered("node", number);
    const Path folder = site.folder / name;
    const Path file = folder / "config.yaml";
    part.files.push_back({.path = file, .content = settings(site, number, folder)});
    Component node{.name = name,
                   .arguments = {site.binary, "serve", "--config", file.string()},
                   .environment = {{"CONFIG_CENTER_ADMIN_PASSWORD", site.secrets.admin}},
                   .folder = folder,
                   .port = site.port(name),
                   .readiness = Answers{site.port(name), "/readyz"}};
    // They would do without; but so each ends before what it writes to.
    if (site.layout.full) node.needs = {"postgres1", "redis1"};
    part.components.push_back(std::move(node));
  }
  return part;
}

}  // namespace cc::playground
