#include <fmt/format.h>

#include "base/host_port.h"
#include "deploy/cache.h"
#include "deploy/database.h"
#include "deploy/file_text.h"
#include "deploy/listening.h"
#include "deploy/monitoring.h"

namespace cc::deploy {
namespace {

std::string heading() {
  return written_by("Own settings go into components.exporters of topology.yaml.");
}

}  // namespace

RenderedFiles exporter_files(const Topology& topology, const Secrets& secrets, const Host& host) {
  if (!topology.exporters) return {};
  const Exporters& exporters = *topology.exporters;
  RenderedFiles files;
  const auto add = [&](std::string_view unit, RenderedFile file) {
    file.path = fmt::format("/etc/default/{}", unit);
    files.push_back(std::move(file));
    files.push_back(start_with_network(unit));
  };
  add("prometheus-node-exporter",
      {.content = heading() + fmt::format("ARGS=\"--web.listen-address={}\"\n", listen_on(host, exporters.node_port))});
  // Without a password: PostgreSQL sees who the user at the other end of the socket is.
  if (topology.database && is_among(host.name, hosts_of(*topology.database))) {
    add("prometheus-postgres-exporter",
        {.content =
             heading() + fmt::format("DATA_SOURCE_NAME='user={} host=/var/run/postgresql port={} dbname=postgres'\n"
                                     "ARGS=\"--web.listen-address={}\"\n",
                                     kExporterRole, topology.database->port, listen_on(host, exporters.postgres_port)),
         .mode = 0640,
         .owner = "prometheus"});  // as its package has it
  }
  if (topology.cache && is_among(host.name, hosts_of(*topology.cache))) {
    add("prometheus-redis-exporter",
        {.content = heading() + fmt::format("REDIS_ADDR=redis://{}\n"
                                            "REDIS_PASSWORD={}\n"
                                            "ARGS=\"-web.listen-address={}\"\n",
                                            host_and_port(host.address, topology.cache->port), secrets.cache,
                                            listen_on(host, exporters.redis_port)),
         .mode = 0640,
         .secret = true});
  }
  return files;
}

}  // namespace cc::deploy
